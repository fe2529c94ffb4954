"""The project: settings, servers, Celery, admin site and operations.

The Celery app is huuva.celery. It is not imported here, because web doesn't need it.
"""
