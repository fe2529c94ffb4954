"""The web part: API, admin and pages, served by granian."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "huuva.settings")
# A request gives up where a task would wait.
os.environ.setdefault("HUUVA_STATEMENT_SECONDS", "30")
application = get_wsgi_application()
