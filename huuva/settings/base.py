"""Where everything else stands: the reader of outside values, the folders, and the addresses of the running parts."""

from pathlib import Path

from core.env import PROJECT_ROOT, Env

BASE_DIR = PROJECT_ROOT
env = Env()

HUUVA_HOME = Path(
    env.str(
        "HUUVA_HOME",
        str(BASE_DIR / "var"),
        description="Folder of the embedded servers' data, logs and secrets",
    )
).absolute()
DEBUG = env.bool("HUUVA_DEBUG", default=False, description="Django's debug mode; never on in production")

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
