from django.apps import AppConfig


class HuuvaConfig(AppConfig):
    name = "huuva"

    def ready(self) -> None:
        from huuva import checks  # noqa: F401  (registers the system checks)
