from django.apps import AppConfig


class HuuvaConfig(AppConfig):
    name = "huuva"

    def ready(self) -> None:
        from django.conf import settings
        from django.contrib.auth.signals import user_logged_in

        from analytics.dashboard.context import set_station_lookup
        from core.http.page_middleware import note_login
        from kitchen_display.configuration import station_names

        set_station_lookup(station_names)
        user_logged_in.connect(note_login, dispatch_uid="huuva.note_login")
        if settings.HUUVA_SENTRY_DSN:
            from core import sentry

            sentry.start(settings.HUUVA_SENTRY_DSN, settings.HUUVA_ENVIRONMENT)
