from django.apps import AppConfig


class HuuvaConfig(AppConfig):
    name = "huuva"

    def ready(self) -> None:
        from django.conf import settings
        from django.db.backends.signals import connection_created

        from huuva.connections import close_with_thread

        connection_created.connect(close_with_thread, dispatch_uid="huuva.close_with_thread")
        if settings.HUUVA_SENTRY_DSN:
            from huuva import sentry

            sentry.start(settings.HUUVA_SENTRY_DSN, settings.HUUVA_ENVIRONMENT)
