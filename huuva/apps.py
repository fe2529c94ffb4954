from django.apps import AppConfig


class HuuvaConfig(AppConfig):
    name = "huuva"

    def ready(self) -> None:
        from django.conf import settings

        if settings.HUUVA_SENTRY_DSN:
            from huuva import sentry

            sentry.start(settings.HUUVA_SENTRY_DSN, settings.HUUVA_ENVIRONMENT)
