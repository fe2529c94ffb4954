"""Settings of Huuva: one file, every outside value through the strict reader in `huuva.env`."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils.csp import CSP
from django.utils.translation import gettext_lazy as _

from huuva.env import ConfigError, Env
from huuva.mail import mailer
from huuva.settings_admin import UNFOLD as UNFOLD

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env(BASE_DIR / ".env")

HUUVA_HOME = Path(
    env.str(
        "HUUVA_HOME",
        str(BASE_DIR / "var"),
        description="Folder of the embedded servers' data, logs and secrets",
    )
).absolute()
DEBUG = env.bool("HUUVA_DEBUG", default=False, description="Django's debug mode; never on in production")

# --- Addresses -------------------------------------------------------------------------------------------------------
HUUVA_HOST = env.str("HUUVA_HOST", "127.0.0.1", description="Address that web and live listen on")
HUUVA_PORT = env.int(
    "HUUVA_PORT", 8000, minimum=1, maximum=65534, description="Port of web; live takes the next one"
)
HUUVA_WEB_WORKERS = env.int(
    "HUUVA_WEB_WORKERS", 2, minimum=1, maximum=64, description="Processes that serve web"
)
HUUVA_LIVE_URL = env.url(
    "HUUVA_LIVE_URL",
    schemes=("http", "https"),
    default="",
    description="Where browsers find the live process; unset: the host that the page came from, next port",
)
ALLOWED_HOSTS = env.list(
    "HUUVA_ALLOWED_HOSTS",
    ["localhost", "127.0.0.1", "[::1]", HUUVA_HOST],
    description="Host names under which web may be asked, separated by commas",
)
CSRF_TRUSTED_ORIGINS = env.list(
    "HUUVA_TRUSTED_ORIGINS",
    [],
    description="Origins (https://…) whose forms are accepted, separated by commas",
)

# --- Security --------------------------------------------------------------------------------------------------------
HUUVA_HTTPS = env.bool(
    "HUUVA_HTTPS",
    default=False,
    description="On where browsers reach us by https: secure cookies, HSTS, redirects",
)


def _secret_key() -> str:
    """The given key, else one that is made once and kept in HUUVA_HOME, so that a fresh clone simply starts."""
    given = env.str(
        "HUUVA_SECRET_KEY", "", secret=True, description="Key that signs sessions; made once if not set"
    )
    if given:
        if len(given) < 50:
            raise ConfigError(
                "HUUVA_SECRET_KEY must have at least 50 characters; leave it unset and one is made."
            )
        return given
    from huuva.embedded import secret_file

    return secret_file(HUUVA_HOME, "secret-key")


SECRET_KEY = _secret_key()
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HUUVA_HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HUUVA_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HUUVA_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HUUVA_HTTPS else None
# Health checks come from inside, without TLS.
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$", r"^metrics$", r"^api/health/?$"]
X_FRAME_OPTIONS = "DENY"
SECURE_CSP = {
    "default-src": [CSP.SELF],
    "script-src": [CSP.SELF, CSP.NONCE],
    "style-src": [CSP.SELF, CSP.NONCE],
    "img-src": [CSP.SELF, "data:"],
    "connect-src": [CSP.SELF],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.SELF],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
}

# unfold's page for logging in, opened by itself, says nothing of where to go.
LOGIN_REDIRECT_URL = "admin:index"
# Guessing passwords: after so many wrong ones for a name from an address, neither is heard for a while.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = timedelta(minutes=10)
# Both together: else a stranger could lock a manager out, or one colleague the whole office.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
AXES_LOCKOUT_CALLABLE = "huuva.errors.locked_out"
AXES_CLIENT_IP_CALLABLE = "huuva.client_address.client_address"
AXES_USERNAME_CALLABLE = "huuva.client_address.login_name"

# --- Parts -----------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "huuva",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "axes",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "orders",
    "integrations",
    "analytics",
    "kitchen_display",
]
MIDDLEWARE = [
    "huuva.middleware.GateMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "huuva.page_middleware.WhiteNoiseMiddleware",
    "huuva.csp.CspMiddleware",
    "huuva.page_middleware.SessionMiddleware",
    "huuva.middleware.PageLocaleMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "huuva.page_middleware.AuthenticationMiddleware",
    "huuva.page_middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "huuva.busy.BusyAdminMiddleware",
]
ROOT_URLCONF = "huuva.urls"
WSGI_APPLICATION = "huuva.wsgi.application"
# The API answers with and without a trailing slash and never redirects: a redirect turns a POST into a GET.
APPEND_SLASH = False
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# --- PostgreSQL and Valkey -------------------------------------------------------------------------------------------
DATABASE_URL = env.url(
    "DATABASE_URL",
    schemes=("postgres", "postgresql"),
    default="",
    secret=True,
    description="PostgreSQL 15 to 18, as postgresql://user:password@host:port/name; unset: the embedded one",
)
REDIS_URL = env.url(
    "REDIS_URL",
    schemes=("redis", "rediss", "unix"),
    default="",
    secret=True,
    description="Valkey or Redis, as redis://host:port/0; unset: the embedded one",
)
if not (DATABASE_URL and REDIS_URL):
    from huuva import embedded

    DATABASE_URL = DATABASE_URL or embedded.database_url(HUUVA_HOME)
    REDIS_URL = REDIS_URL or embedded.redis_url(HUUVA_HOME)

HUUVA_PREPARE = env.bool(
    "HUUVA_PREPARE",
    default=True,
    description="Prepare statements that return; off behind a transaction pooler that can't keep them",
)
HUUVA_STATEMENT_SECONDS = env.int(
    "HUUVA_STATEMENT_SECONDS",
    0,
    minimum=0,
    maximum=3600,
    description="When a statement is given up; 0: never. Where it is not set, web takes 30",
)
_database = env.database(DATABASE_URL)
DATABASES = {
    "default": {
        **_database,
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": None,
        # A pooler that hands out connections by transaction would lose them; we read nothing by them.
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {
            "connect_timeout": 3,
            # A server behind a cut cable is given up in seconds, not by the kernel's quarter of an hour.
            "tcp_user_timeout": 10_000,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            **_database.get("OPTIONS", {}),
            # Statements that return are prepared, once for each connection: PostgreSQL plans them no more.
            "server_side_binding": HUUVA_PREPARE,
            "prepare_threshold": 3 if HUUVA_PREPARE else None,
            # A client that sleeps inside a transaction holds back the change feed's horizon: end it.
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
    description="Let a trigger refuse changes of the history; off only where the server allows no triggers",
)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "huuva",
        "OPTIONS": {"socket_timeout": 0.25, "socket_connect_timeout": 0.25},
    }
}

# --- The API ---------------------------------------------------------------------------------------------------------
HUUVA_RATE_LIMIT = env.int(
    "HUUVA_RATE_LIMIT",
    1200,
    minimum=0,
    maximum=10_000_000,
    description="Calls a minute for each API key; 0: no limit",
)
HUUVA_IDEMPOTENCY_STORE = "integrations.idempotency.IdempotencyStore"
# Analytics asks which station makes a product without knowing the display.
HUUVA_STATIONS = "kitchen_display.makers.station_names"
HUUVA_MAX_BODY_BYTES = 1024 * 1024
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["integrations.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["integrations.permissions.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["integrations.throttling.KeyRateThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["huuva.jsonio.JsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["huuva.jsonio.StrictJsonParser"],
    "DEFAULT_SCHEMA_CLASS": "huuva.openapi.HuuvaSchema",
    "EXCEPTION_HANDLER": "huuva.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "huuva.jsonio.JsonNegotiation",
}
SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.0",
    "TITLE": "Huuva",
    "DESCRIPTION": "Orders of pickup-only kitchens: create them, move them on, read what happened.",
    "VERSION": "1",
    "SERVE_PUBLIC": True,
    "SCHEMA_PATH_PREFIX": "/api",
    "COMPONENT_SPLIT_PATCH": False,
    "SERVERS": [{"url": "/"}],
    "POSTPROCESSING_HOOKS": ["integrations.api.webhook_schema.add_events", "huuva.openapi.finish"],
    "PREPROCESSING_HOOKS": ["huuva.openapi.one_path_each"],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
}

# --- Webhooks and channels -------------------------------------------------------------------------------------------
HUUVA_WEBHOOKS_ALLOW_PRIVATE = env.bool(
    "HUUVA_WEBHOOKS_ALLOW_PRIVATE",
    default=False,
    description="Let webhooks go to private networks and any port: only where all who have keys are trusted",
)
HUUVA_WEBHOOKS_ALLOW_HTTP = env.bool(
    "HUUVA_WEBHOOKS_ALLOW_HTTP", default=False, description="Let webhooks go to http://, unencrypted"
)
HUUVA_DELIVERY_LOG_DAYS = env.int(
    "HUUVA_DELIVERY_LOG_DAYS",
    30,
    minimum=3,
    maximum=3650,
    description="Days for which finished deliveries and their tries are kept",
)
HUUVA_CHANNEL_LOG_DAYS = env.int(
    "HUUVA_CHANNEL_LOG_DAYS",
    14,
    minimum=1,
    maximum=365,
    description="Days for which messages of channels are kept; fewer where a kitchen keeps customers' data for less",
)
HUUVA_SMTP_URL = env.url(
    "HUUVA_SMTP_URL",
    schemes=("smtp", "smtps"),
    default="",
    secret=True,
    description="Mail server for alerts, as smtp://user:password@host:587 (STARTTLS) or smtps://…:465; unset: no mail",
)
HUUVA_MAIL_FROM = env.str("HUUVA_MAIL_FROM", "huuva@localhost", description="Sender of mails")
HUUVA_ALERT_EMAILS = env.list(
    "HUUVA_ALERT_EMAILS", [], description="Who gets alerts by mail, separated by commas"
)
# Nothing is sent without the URL; Django wants a mailer all the same.
MAILERS = {"default": mailer(HUUVA_SMTP_URL or "smtp://localhost")}
DEFAULT_FROM_EMAIL = HUUVA_MAIL_FROM

# --- Celery ----------------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_TIME_LIMIT = 300
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE = {
    # One that waited longer says nothing of beat: it may have been sent before beat died.
    "beat-heartbeat": {
        "task": "huuva.tasks.beat_heartbeat",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "check-history": {"task": "orders.tasks.check_history", "schedule": 300.0},
    "anonymise-orders": {"task": "orders.tasks.anonymise_orders", "schedule": 3600.0},
    # One that no worker took in time is made up for by the next.
    "refresh-analytics": {
        "task": "analytics.tasks.refresh",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "watch-unseen-orders": {"task": "kitchen_display.tasks.watch_unseen", "schedule": 15.0},
    "purge-wall": {"task": "kitchen_display.tasks.purge_wall", "schedule": 3600.0},
    # The loop that sends is always running; this begins it where it has ended.
    "send-deliveries": {
        "task": "integrations.tasks.send_deliveries",
        "schedule": 2.0,
        "options": {"expires": 2},
    },
    "end-expired-keys": {
        "task": "integrations.tasks.end_expired_keys",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "purge-deliveries": {"task": "integrations.tasks.purge_deliveries", "schedule": 3600.0},
    "purge-channels": {"task": "integrations.tasks.purge_channels", "schedule": 3600.0},
    "purge-idempotency-records": {"task": "integrations.tasks.purge_idempotency_records", "schedule": 3600.0},
}

# --- Language, time, static files ------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fi", _("Finnish")), ("sv", _("Swedish"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = USE_TZ = True
TIME_ZONE = "UTC"
# Times of no kitchen are told in UTC, and say so, in each language.
FORMAT_MODULE_PATH = "huuva.formats"
STATIC_URL = "/static/"
STATIC_ROOT = HUUVA_HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = env.bool(
    "HUUVA_STATIC_FROM_SOURCE",
    default=True,
    description="Serve static files straight from the packages; off where collectstatic has been run",
)
WHITENOISE_AUTOREFRESH = False

# --- Logs ------------------------------------------------------------------------------------------------------------
LOG_LEVEL = env.str("HUUVA_LOG_LEVEL", "INFO", description="DEBUG, INFO, WARNING or ERROR")
if LOG_LEVEL not in ("DEBUG", "INFO", "WARNING", "ERROR"):
    raise ConfigError(f"HUUVA_LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR, not {LOG_LEVEL!r}.")
LOGGING_CONFIG = "huuva.logs.configure"
LOGGING = {"level": LOG_LEVEL}

HUUVA_SENTRY_DSN = env.url(
    "HUUVA_SENTRY_DSN",
    schemes=("http", "https"),
    default="",
    secret=True,
    description="Where errors are sent, without customer data; unset: nowhere",
)
HUUVA_ENVIRONMENT = env.str(
    "HUUVA_ENVIRONMENT", "production", description="The name of this installation in Sentry"
)
