"""The manifest of a backup, written beside it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from huuva.ops.backups import BackupError

MANIFEST_VERSION: Final = 1


@dataclass(frozen=True)
class Manifest:
    """The contents of a backup. `made_at` is ISO 8601 in UTC, `rows` counts the rows of each table in its snapshot."""

    version: int
    made_at: str
    server: int
    sha256: str
    bytes: int
    rows: dict[str, int]

    @classmethod
    def read(cls, file: Path) -> Manifest:
        path = manifest_of(file)
        try:
            manifest = cls(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise BackupError(
                f"{path} is missing: keep it beside the backup, it tells whether the backup is whole."
            ) from None
        except (ValueError, TypeError):
            raise BackupError(f"{path} is not a manifest of a backup.") from None
        if manifest.version != MANIFEST_VERSION:
            raise BackupError(
                f"{path} is of version {manifest.version}; this release reads {MANIFEST_VERSION}."
            )
        return manifest


def manifest_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.json")


def digest_of(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
