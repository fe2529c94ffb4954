"""Times that belong to no kitchen name their zone, in each language of the admin."""

from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.utils import formats, translation


@pytest.mark.parametrize("language", [code for code, _ in settings.LANGUAGES])
def test_a_time_of_no_kitchen_is_shown_as_utc(language: str) -> None:
    with translation.override(language):
        assert formats.localize(datetime(2030, 7, 22, 20, 28, 2, tzinfo=UTC)) == "2030-07-22 20:28:02 UTC"
