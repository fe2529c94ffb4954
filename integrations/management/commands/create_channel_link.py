import json
from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.contrib.admin.models import ADDITION
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from integrations.adapters.registry import ADAPTERS
from integrations.channels.secrets import MAX_LENGTH, MIN_LENGTH, encrypt_secret, new_secret
from integrations.deliveries.guard import check_url
from integrations.models import ChannelLink, ChannelLocation
from orders.audit import record, shell_user
from orders.models import Kitchen


class Command(BaseCommand):
    help = "Create a channel link and print its secret, alone, on standard output. It is shown this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the channel's name, as orders show it")
        parser.add_argument("--kind", default="deliverect", choices=list(ADAPTERS))
        parser.add_argument("--slug", help="begins the ids of its orders (default: the kind)")
        parser.add_argument("--external-id", default="", help="the channel's id of the link (channelLink)")
        parser.add_argument("--secret", help="as the channel gave it (default: a new one)")
        parser.add_argument("--status-url", default="", help="URL for status updates")
        parser.add_argument("--busy-url", default="", help="URL for pauses and busy mode")
        parser.add_argument("--mapping", metavar="FILE", help="JSON with the paths of its fields")
        parser.add_argument(
            "--location",
            action="append",
            default=[],
            metavar="ID=KITCHEN",
            help="a location of the channel and the slug of its kitchen; repeatable",
        )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        secret = options["secret"] or new_secret()
        if not MIN_LENGTH <= len(secret) <= MAX_LENGTH:
            raise CommandError(f"--secret has {MIN_LENGTH} to {MAX_LENGTH} characters.")
        link = ChannelLink(
            name=options["name"],
            channel_kind=options["kind"],
            slug=options["slug"] or options["kind"],
            external_id=options["external_id"],
            status_url=options["status_url"],
            busy_url=options["busy_url"],
            mapping=_mapping(options["kind"], options["mapping"]),
            secret=encrypt_secret(secret),
        )
        for option, url in (("--status-url", link.status_url), ("--busy-url", link.busy_url)):
            if url:
                _check(option, partial(check_url, url))
        _check("The link", partial(link.full_clean, exclude=("events", "kind")))
        link.save()
        for pair in options["location"]:
            external_id, _, slug = pair.rpartition("=")
            kitchen = Kitchen.objects.filter(pk=slug).first()
            if not external_id or kitchen is None:
                known = (
                    ", ".join(Kitchen.objects.order_by("pk").values_list("pk", flat=True)[:50]) or "none yet"
                )
                raise CommandError(f"--location is ID=KITCHEN, not {pair}. Known kitchens: {known}.")
            location = ChannelLocation(link=link, external_id=external_id, kitchen=kitchen)
            _check(f"--location {pair}", location.full_clean)
            location.save()
        record("secret_shown", link, flag=ADDITION, shell=shell_user())
        self.stdout.write(secret)


def _check(what: str, check: Callable[[], None]) -> None:
    try:
        check()
    except ValidationError as error:
        raise CommandError(f"{what}: {' '.join(error.messages)}") from None


def _mapping(kind: str, file: str | None) -> Any:
    adapter = ADAPTERS[kind]
    if adapter.has_mapping != (file is not None):
        raise CommandError(f"Links of the kind {kind} need {'' if adapter.has_mapping else 'no '}--mapping.")
    if file is None:
        return None
    try:
        mapping = json.loads(Path(file).read_text())
    except (OSError, ValueError) as error:
        raise CommandError(f"{file} can't be read as JSON: {error}") from None
    errors = adapter.check_mapping(mapping)
    if errors:
        raise CommandError("The mapping is wrong. " + " ".join(errors))
    return mapping
