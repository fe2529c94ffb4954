"""HTTPS, cookies, what pages may load, and who logs in how."""

from datetime import timedelta

from django.utils.csp import CSP

from core.env import ConfigError
from huuva.settings.base import env, shared

HUUVA_HTTPS = env.bool(
    "HUUVA_HTTPS",
    default=False,
    description="On if browsers use https: secure cookies, HSTS, redirects",
)
SECRET_KEY = shared.secret_key
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HUUVA_HTTPS
SESSION_COOKIE_HTTPONLY = True
# Each use of the admin restarts these hours: core/http/page_middleware.py.
SESSION_COOKIE_AGE = 3600 * env.int(
    "HUUVA_SESSION_IDLE_HOURS",
    12,
    minimum=1,
    maximum=14 * 24,
    description="Hours after which an unused session of the admin ends; each ends after 14 days",
)
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HUUVA_HTTPS else 0
# Both affect other names of the domain, and browsers keep them for a year: the domain's owner decides.
HUUVA_HSTS_SUBDOMAINS = env.bool(
    "HUUVA_HSTS_SUBDOMAINS",
    default=False,
    description="With HUUVA_HTTPS: browsers use https for all subdomains, too",
)
HUUVA_HSTS_PRELOAD = env.bool(
    "HUUVA_HSTS_PRELOAD",
    default=False,
    description="With HUUVA_HSTS_SUBDOMAINS: browsers may preload this (hstspreload.org)",
)
if HUUVA_HSTS_PRELOAD and not HUUVA_HSTS_SUBDOMAINS:
    raise ConfigError("HUUVA_HSTS_PRELOAD needs HUUVA_HSTS_SUBDOMAINS: browsers preload no other.")
SECURE_HSTS_INCLUDE_SUBDOMAINS = HUUVA_HTTPS and HUUVA_HSTS_SUBDOMAINS
SECURE_HSTS_PRELOAD = HUUVA_HTTPS and HUUVA_HSTS_PRELOAD
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # those two choices
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HUUVA_HTTPS else None
# Health checks come from the internal network, without TLS.
SECURE_REDIRECT_EXEMPT = [r"^livez/?$", r"^readyz/?$", r"^metrics/?$", r"^api/health/?$"]
X_FRAME_OPTIONS = "DENY"
FILE_UPLOAD_HANDLERS = ["core.http.uploads.RefuseFiles"]
# Features of devices that no page uses; walls keep their screen on, play sounds, and go full screen.
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

# unfold's login page, opened directly, has no target.
LOGIN_REDIRECT_URL = "admin:index"
# One at a time in each process: huuva/hashing.py says why. The hashes are Django's PBKDF2.
PASSWORD_HASHERS = ["huuva.hashing.PasswordHasher"]
# After this many wrong passwords for a name from an address, no further ones are accepted for a while. huuva/logins.py
# counts by name alone and by address alone.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "huuva.logins.LoginBackend",
    # For sessions from before LoginBackend existed.
    "django.contrib.auth.backends.ModelBackend",
]
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = timedelta(minutes=10)
# Both together: otherwise a stranger could lock out a manager, or one colleague the whole office.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
# Trying again too early doesn't extend the wait: somebody else may be trying.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
AXES_LOCKOUT_CALLABLE = "huuva.logins.locked_out"
AXES_CLIENT_IP_CALLABLE = "core.http.client_address.client_address"
# A browser that has logged in with the name before is counted separately, in huuva/logins.py.
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
