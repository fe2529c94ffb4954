"""Celery, and the schedule of periodic tasks."""

from huuva.settings.storage import REDIS_URL

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_TIME_LIMIT = 300
CELERY_BEAT_SCHEDULER = "huuva.beat:SteadyScheduler"
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# However long Valkey is away, retry.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BEAT_SCHEDULE = {
    # One that waited longer says nothing about beat: it may have been sent before beat died.
    "beat-heartbeat": {
        "task": "huuva.tasks.beat_heartbeat",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "watch-backups": {"task": "huuva.tasks.watch_backups", "schedule": 600.0},
    "purge-logins": {"task": "huuva.tasks.purge_logins", "schedule": 3600.0},
    "check-history": {"task": "orders.tasks.check_history", "schedule": 300.0},
    # One that waited is replaced by the next.
    "watch-feed": {"task": "orders.tasks.watch_feed", "schedule": 15.0, "options": {"expires": 15}},
    "anonymise-orders": {"task": "orders.tasks.anonymise_orders", "schedule": 3600.0},
    # One that no worker ran in time is replaced by the next.
    "refresh-analytics": {
        "task": "analytics.tasks.refresh",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "watch-unseen-orders": {"task": "kitchen_display.tasks.watch_unseen", "schedule": 15.0},
    "purge-wall": {"task": "kitchen_display.tasks.purge_wall", "schedule": 3600.0},
    "end-expired-keys": {
        "task": "integrations.tasks.end_expired_keys",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "purge-deliveries": {"task": "integrations.tasks.purge_deliveries", "schedule": 3600.0},
    "purge-channels": {"task": "integrations.tasks.purge_channels", "schedule": 3600.0},
    "purge-idempotency-records": {"task": "integrations.tasks.purge_idempotency_records", "schedule": 3600.0},
}
