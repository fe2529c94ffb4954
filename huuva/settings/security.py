"""HTTPS, cookies, what pages may load, and who logs in how."""

from datetime import timedelta

from django.utils.csp import CSP

from core.env import ConfigError
from huuva.settings.base import env, shared

HUUVA_HTTPS = env.bool(
    "HUUVA_HTTPS",
    default=False,
    description="On where browsers reach us by https: secure cookies, HSTS, redirects",
)
SECRET_KEY = shared.secret_key
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HUUVA_HTTPS
SESSION_COOKIE_HTTPONLY = True
# Each use of the admin begins these hours anew: core/http/page_middleware.py.
SESSION_COOKIE_AGE = 3600 * env.int(
    "HUUVA_SESSION_IDLE_HOURS",
    12,
    minimum=1,
    maximum=14 * 24,
    description="Hours after which a session of the admin that nobody uses ends; each ends after 14 days",
)
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HUUVA_HTTPS else 0
# Both are promises for names that aren't ours, and a browser keeps them for a year: who owns the domain makes them.
HUUVA_HSTS_SUBDOMAINS = env.bool(
    "HUUVA_HSTS_SUBDOMAINS",
    default=False,
    description="With HUUVA_HTTPS: browsers use https for all names below this one, too",
)
HUUVA_HSTS_PRELOAD = env.bool(
    "HUUVA_HSTS_PRELOAD",
    default=False,
    description="With HUUVA_HSTS_SUBDOMAINS: browsers may build that in (hstspreload.org)",
)
if HUUVA_HSTS_PRELOAD and not HUUVA_HSTS_SUBDOMAINS:
    raise ConfigError(
        "HUUVA_HSTS_PRELOAD needs HUUVA_HSTS_SUBDOMAINS: browsers take no other into their list."
    )
SECURE_HSTS_INCLUDE_SUBDOMAINS = HUUVA_HTTPS and HUUVA_HSTS_SUBDOMAINS
SECURE_HSTS_PRELOAD = HUUVA_HTTPS and HUUVA_HSTS_PRELOAD
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # those two choices
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HUUVA_HTTPS else None
# Health checks come from inside, without TLS.
SECURE_REDIRECT_EXEMPT = [r"^livez/?$", r"^readyz/?$", r"^metrics/?$", r"^api/health/?$"]
X_FRAME_OPTIONS = "DENY"
FILE_UPLOAD_HANDLERS = ["core.http.uploads.RefuseFiles"]
# What no page of ours asks a device for; walls keep their screen on, ring, and fill the screen.
HUUVA_PERMISSIONS_POLICY = ", ".join(
    [
        *(
            f"{feature}=()"
            for feature in (
                "accelerometer",
                "browsing-topics",
                "camera",
                "display-capture",
                "geolocation",
                "gyroscope",
                "hid",
                "magnetometer",
                "microphone",
                "midi",
                "payment",
                "publickey-credentials-get",
                "serial",
                "usb",
                "xr-spatial-tracking",
            )
        ),
        *(f"{feature}=(self)" for feature in ("autoplay", "fullscreen", "screen-wake-lock")),
    ]
)
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
# One at a time in each process: huuva/hashing.py says why. What it makes is Django's own PBKDF2.
PASSWORD_HASHERS = ["huuva.hashing.PasswordHasher"]
# Guessing passwords: after so many wrong ones for a name from an address, neither is heard for a while. By name and by
# address alone huuva/logins.py counts.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "huuva.logins.LoginBackend",
    # Of sessions that were begun before the one above was there.
    "django.contrib.auth.backends.ModelBackend",
]
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = timedelta(minutes=10)
# Both together: else a stranger could lock a manager out, or one colleague the whole office.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
# Who tries again too early has to wait no longer for that: somebody else could go on trying.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
AXES_LOCKOUT_CALLABLE = "huuva.logins.locked_out"
AXES_CLIENT_IP_CALLABLE = "core.http.client_address.client_address"
# A browser that has logged in by the name before is counted by itself, in huuva/logins.py.
AXES_WHITELIST_CALLABLE = "huuva.logins.is_known"
AXES_USERNAME_CALLABLE = "huuva.logins.counted_name"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
