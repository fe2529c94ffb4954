from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from huuva.first_data import KEY_FILE, LOGIN_FILE, make_first_data


class Command(BaseCommand):
    help = "Make the kitchen “main”, a manager and an API key where they are missing."

    def handle(self, *args: Any, **options: Any) -> None:
        make_first_data(settings.HUUVA_HOME)
        # The secrets themselves are not printed: this may run in a container whose output is kept.
        self.stdout.write(
            f"The manager's login is in {settings.HUUVA_HOME / LOGIN_FILE}, the API key in "
            f"{settings.HUUVA_HOME / KEY_FILE}."
        )
