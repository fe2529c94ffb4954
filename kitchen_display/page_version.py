"""What the page of a screen is made of beside its board. A page that was loaded with another version reloads."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any, Final

import orjson
from django.conf import settings
from django.utils.translation import get_language

from kitchen_display.models import Screen

_FOLDERS: Final = ("static/kitchen_display", "templates/kitchen_display")


def page_version(screen: Screen, *more: Any) -> str:
    """A digest of the screen's settings, kitchen and station, the language, the files, and what `more` it shows."""
    return digest(
        [
            screen.text_scale, screen.columns, screen.sound_new, screen.sound_cancelled, screen.sound_late,
            screen.language, str(screen.awake_from), str(screen.awake_to),
            screen.kind, screen.station_id, screen.kitchen_id, screen.kitchen.time_zone,
            get_language(), _files(), *more,
        ]
    )  # fmt: skip


@cache
def _files() -> str:
    """A digest of the screens' scripts, styles and templates, as this process runs them.

    A page that was loaded before an upgrade must not read boards of after it.
    """
    files = hashlib.blake2b(digest_size=6)
    for folder in _FOLDERS:
        for path in sorted((Path(settings.BASE_DIR) / folder).rglob("*.*")):
            files.update(path.name.encode() + b"\0" + path.read_bytes())
    return files.hexdigest()


def digest(data: Any) -> str:
    """A short hash of JSON-like data."""
    return hashlib.blake2b(orjson.dumps(data), digest_size=9).hexdigest()
