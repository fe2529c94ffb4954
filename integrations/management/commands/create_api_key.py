from argparse import ArgumentParser
from typing import Any

from django.contrib.admin.models import ADDITION
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from integrations.keys import issue_key
from integrations.scopes import SCOPES
from orders.audit import record, shell_user
from orders.models import Kitchen


class Command(BaseCommand):
    help = "Create an API key and print it, alone, on standard output. It is shown this once and not stored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="who uses the key; shown in the history of orders as key:NAME")
        parser.add_argument(
            "--scope",
            action="extend",
            nargs="+",
            dest="scopes",
            default=[],
            metavar="SCOPE",
            help=f"what the key may do; one or more. Known: {', '.join(SCOPES)}",
        )
        parser.add_argument("--kitchen", metavar="SLUG", help="the only kitchen of this key (default: all)")
        parser.add_argument(
            "--rate-limit",
            type=int,
            metavar="N",
            help="calls a minute, 0: no limit (default: HUUVA_RATE_LIMIT)",
        )
        parser.add_argument("--expires", metavar="ISO", help="when the key ends: 2030-12-31T23:59:59+02:00")

    def handle(self, *args: Any, **options: Any) -> None:
        scopes = options["scopes"]
        if not scopes:
            raise CommandError(f"Give at least one --scope. Known scopes: {', '.join(SCOPES)}.")
        kitchen = options["kitchen"]
        if kitchen is not None and not Kitchen.objects.filter(pk=kitchen).exists():
            known = ", ".join(Kitchen.objects.order_by("pk").values_list("pk", flat=True)[:50]) or "none yet"
            raise CommandError(f"Unknown kitchen: {kitchen}. Known kitchens: {known}.")
        expires_at = None
        if options["expires"] is not None:
            try:
                expires_at = parse_datetime(options["expires"])
            except ValueError:
                expires_at = None
            if expires_at is None or expires_at.tzinfo is None:
                raise CommandError(
                    f"--expires must be a date and time with a zone, like 2030-12-31T23:59:59+02:00, "
                    f"not {options['expires']!r}."
                )
            if expires_at <= timezone.now():
                raise CommandError(f"--expires must lie ahead, but {options['expires']} has passed.")
        try:
            key, plain = issue_key(options["name"], scopes, kitchen, options["rate_limit"], expires_at)
        except ValidationError as error:
            raise CommandError(_one_line(error)) from None
        record("secret_shown", key, flag=ADDITION, shell=shell_user())
        self.stderr.write(f"Key {key} for {key.kitchen_id or 'all kitchens'}: {', '.join(key.scopes)}")
        self.stdout.write(plain)


def _one_line(error: ValidationError) -> str:
    return " ".join(
        text if field == "__all__" else f"{field}: {text}"
        for field, texts in error.message_dict.items()
        for text in texts
    )
