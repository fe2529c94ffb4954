"""The settings, a module for each subject. Every variable of the environment is read by the strict reader in
`core.env`; those that live reads, too, are declared in `core.variables`.
"""

from huuva.settings.admin import *
from huuva.settings.api import *
from huuva.settings.base import *
from huuva.settings.deliveries import *
from huuva.settings.pages import *
from huuva.settings.security import *
from huuva.settings.storage import *
from huuva.settings.tasks import *

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
    "core.http.middleware.GateMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "core.http.page_middleware.WhiteNoiseMiddleware",
    "core.http.csp.CspMiddleware",
    "core.http.page_middleware.SessionMiddleware",
    "core.http.page_middleware.PageLocaleMiddleware",
    "huuva.logins.LoginMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "core.http.page_middleware.AuthenticationMiddleware",
    "core.http.page_middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "core.http.busy.BusyAdminMiddleware",
]
ROOT_URLCONF = "huuva.urls"
WSGI_APPLICATION = "huuva.wsgi.application"
# The API answers with and without a trailing slash and never redirects: a redirect turns a POST into a GET.
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
