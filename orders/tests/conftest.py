import pytest
from django.contrib.auth.models import User
from django.test import Client


@pytest.fixture
def manager(client: Client) -> Client:
    """A browser in which somebody who may do everything is logged in to the admin."""
    client.force_login(User.objects.create_superuser("anna"))
    return client
