"""Templates, languages, times and static files."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from huuva.settings.base import BASE_DIR, HUUVA_HOME, env

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

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fi", _("Finnish")), ("sv", _("Swedish"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = USE_TZ = True
TIME_ZONE = "UTC"
# Times that belong to no kitchen are shown in UTC, marked as such, in each language.
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
    description="Serve static files from the packages; off after collectstatic",
)
WHITENOISE_AUTOREFRESH = False
