"""The project: settings, the servers and what the apps share.

The Celery app is huuva.celery and is not imported here: web workers don't need it and would pay for it.
"""
