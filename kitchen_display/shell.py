"""The version of what a wall is made of: a page that was loaded before an upgrade must not read boards of after it."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from django.conf import settings

_FOLDERS: Final = ("static/kitchen_display", "templates/kitchen_display")


@cache
def shell_version() -> str:
    """A digest of the screens' scripts, styles and templates, as this process runs them."""
    digest = hashlib.blake2b(digest_size=6)
    for folder in _FOLDERS:
        for path in sorted((Path(settings.BASE_DIR) / folder).rglob("*.*")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
