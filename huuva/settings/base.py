"""The reader of the environment, folders, addresses of the processes, and logs."""

from core.env import PROJECT_ROOT, Env
from core.variables import SharedVariables

BASE_DIR = PROJECT_ROOT
env = Env()
shared = SharedVariables.read(env)

HUUVA_HOME = shared.home
HUUVA_HOST, HUUVA_PORT = shared.host, shared.port
CSRF_TRUSTED_ORIGINS = shared.trusted_origins
DEBUG = env.bool("HUUVA_DEBUG", default=False, description="Django's debug mode; never on in production")
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
    description="Host names that web answers to, separated by commas",
)

LOG_LEVEL = shared.log_level
LOGGING_CONFIG = "core.logs.configure"
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
