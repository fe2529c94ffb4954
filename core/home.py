"""Small private files under HUUVA_HOME: secrets that are made once and then stay."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from pathlib import Path
from typing import Any, Final

from core.env import ConfigError, Env

SHORTEST_SECRET: Final = 50


def make_folder(folder: Path, mode: int = 0o755) -> Path:
    """The folder, made if it is missing. Raises ConfigError if that fails."""
    try:
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"Folder {folder} cannot be made ({error.strerror}): set HUUVA_HOME to one that you may write."
        ) from None
    return folder


def secret_key(env: Env, home: Path) -> str:
    """The key that signs sessions and stream tokens: HUUVA_SECRET_KEY, or a stored one, so that a fresh clone simply
    starts. Raises ConfigError."""
    key = env.str(
        "HUUVA_SECRET_KEY", "", secret=True, description="Key that signs sessions; made once if not set"
    )
    if key and len(key) < SHORTEST_SECRET:
        raise ConfigError(
            f"HUUVA_SECRET_KEY must have at least {SHORTEST_SECRET} characters; leave it unset and one is made."
        )
    return key or secret_file(home, "secret-key")


def secret_file(home: Path, name: str) -> str:
    """The secret in that file, made if it is missing; of two processes that make it at once, one wins."""
    path = home / name
    try:
        secret = path.read_text(encoding="ascii").strip()
        if secret:
            return secret
        path.unlink()  # a start died between making and writing it
    except FileNotFoundError:
        pass
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read ({error.strerror}): start as the user who made it, or move HUUVA_HOME."
        ) from None
    make_folder(home)
    fresh = secrets.token_urlsafe(48)
    temporary = _write_temporary(path, fresh)
    try:
        os.link(temporary, path)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    finally:
        os.unlink(temporary)
    return fresh


def write_private(path: Path, data: dict[str, Any]) -> None:
    """Stores data as JSON that only this user can read; the file is never half-written."""
    make_folder(path.parent)
    os.replace(_write_temporary(path, json.dumps(data, indent=2) + "\n"), path)


def read_private(path: Path) -> dict[str, Any]:
    """What write_private stored; empty if there is no file or it is damaged."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _write_temporary(path: Path, text: str) -> str:
    # mkstemp creates the file with mode 0600.
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    except OSError as error:
        raise ConfigError(
            f"{path.parent} cannot be written ({error.strerror}): set HUUVA_HOME to one that you may write."
        ) from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return temporary
