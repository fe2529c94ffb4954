from django.apps import AppConfig


class HuuvaConfig(AppConfig):
    name = "huuva"

    def ready(self) -> None:
        from django.db.backends.signals import connection_created

        from huuva.connections import close_with_thread

        connection_created.connect(close_with_thread, dispatch_uid="huuva.close_with_thread")
