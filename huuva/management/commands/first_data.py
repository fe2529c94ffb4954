from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from huuva.ops.first_data import KEY_FILE, LOGIN_FILE, is_new, make_first_data


class Command(BaseCommand):
    help = "Create the kitchen “main”, a manager and an API key in a new installation; otherwise do nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        # It runs before each start: removed users and revoked keys must not come back by a restart.
        if not is_new():
            self.stdout.write("There are users or API keys already: nothing was created.")
            return
        make_first_data(settings.HUUVA_HOME)
        # The secrets themselves are not printed: this may run in a container whose output is stored.
        self.stdout.write(
            f"The manager's login is in {settings.HUUVA_HOME / LOGIN_FILE}, the API key in "
            f"{settings.HUUVA_HOME / KEY_FILE}."
        )
