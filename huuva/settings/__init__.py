"""Settings of Huuva, a module for each subject; every outside value goes through the strict reader in `huuva.env`.

Here is what the project is made of.
"""

from huuva.settings.admin import *
from huuva.settings.api import *
from huuva.settings.base import *
from huuva.settings.deliveries import *
from huuva.settings.logs import *
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
    "huuva.web.middleware.GateMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "huuva.web.page_middleware.WhiteNoiseMiddleware",
    "huuva.web.csp.CspMiddleware",
    "huuva.web.page_middleware.SessionMiddleware",
    "huuva.web.page_middleware.PageLocaleMiddleware",
    "huuva.web.logins.LoginMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "huuva.web.page_middleware.AuthenticationMiddleware",
    "huuva.web.page_middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "huuva.web.busy.BusyAdminMiddleware",
]
ROOT_URLCONF = "huuva.urls"
WSGI_APPLICATION = "huuva.wsgi.application"
# The API answers with and without a trailing slash and never redirects: a redirect turns a POST into a GET.
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Analytics asks which station makes a product without knowing the display.
HUUVA_STATIONS = "kitchen_display.makers.station_names"
