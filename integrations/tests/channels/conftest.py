"""Who looks at channels in the admin."""

import pytest
from django.contrib.auth.models import User
from django.test import Client


@pytest.fixture
def manager(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("anna"))
    return client
