from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IntegrationsConfig(AppConfig):
    name = "integrations"
    verbose_name = _("Integrations")

    def ready(self) -> None:
        # drf-spectacular finds its extensions by their class being imported.
        from integrations import openapi  # noqa: F401
