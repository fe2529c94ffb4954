"""The web process: API, admin and pages, served by granian."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from core.env import set_default
from core.metrics_folder import VARIABLE, shared_folder

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "huuva.settings")
# A request gives up where a task would wait.
set_default("HUUVA_STATEMENT_SECONDS", "8")
# Before the first import of prometheus_client, which reads it once: web's processes share their counts.
os.environ[VARIABLE] = str(shared_folder(settings.HUUVA_HOME))
application = get_wsgi_application()
