"""PostgreSQL and Valkey: the embedded ones, or those that two addresses name; backups."""

from core.addresses import database_url
from huuva.settings.base import HUUVA_HOME, env, shared

DATABASE_URL = env.url(
    "DATABASE_URL",
    schemes=("postgres", "postgresql"),
    default="",
    secret=True,
    description="PostgreSQL 15 to 18, as postgresql://user:password@host:port/name; unset: the embedded one",
)
DATABASE_URL = DATABASE_URL or database_url(HUUVA_HOME)
REDIS_URL = shared.redis_url
HUUVA_PREPARE = env.bool(
    "HUUVA_PREPARE",
    default=True,
    description="Prepare repeated statements; off behind a transaction pooler that doesn't support them",
)
HUUVA_STATEMENT_SECONDS = env.int(
    "HUUVA_STATEMENT_SECONDS",
    0,
    minimum=0,
    maximum=3600,
    description="Seconds after which a statement is cancelled; 0: never. Web's default is 8",
)
_database = env.database(DATABASE_URL)
DATABASES = {
    "default": {
        **_database,
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": None,
        # A transaction pooler would lose them; nothing uses them.
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {
            # Shown with sessions that block others.
            "application_name": "huuva",
            "connect_timeout": 3,
            # A server behind a cut cable is given up after seconds, not after the kernel's quarter of an hour.
            "tcp_user_timeout": 10_000,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            **_database.get("OPTIONS", {}),
            # Repeated statements are prepared once per connection, so that PostgreSQL needn't plan them again.
            "server_side_binding": HUUVA_PREPARE,
            "prepare_threshold": 3 if HUUVA_PREPARE else None,
            # A client that idles inside a transaction holds back the change feed's watermark: end it.
            "options": " ".join(
                (
                    "-c idle_in_transaction_session_timeout=15s",
                    "-c lock_timeout=5s",
                    f"-c statement_timeout={HUUVA_STATEMENT_SECONDS}s",
                    _database.get("OPTIONS", {}).get("options", ""),
                )
            ),
        },
    }
}
HUUVA_HISTORY_GUARD = env.bool(
    "HUUVA_HISTORY_GUARD",
    default=True,
    description="Refuse changes of the history by a trigger; off only if the server allows no triggers",
)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "huuva",
        "OPTIONS": {"socket_timeout": 0.25, "socket_connect_timeout": 0.25},
    }
}
HUUVA_BACKUP_TIME = env.time_of_day(
    "HUUVA_BACKUP_TIME",
    "03:40",
    description="Time of the backup of `manage.py backup --daily`, in UTC",
)
HUUVA_BACKUP_DAYS = env.int(
    "HUUVA_BACKUP_DAYS",
    14,
    minimum=1,
    maximum=3650,
    description="Days after which the timer deletes backups",
)
