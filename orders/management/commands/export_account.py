from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandParser

from orders.audit import record, shell_user
from orders.models import Order
from orders.privacy import export_account


class Command(BaseCommand):
    help = "Print all that is kept of a customer, for the customer: the account's orders, one JSON document a line."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account")

    def handle(self, *args: Any, **options: Any) -> None:
        number = 0
        for document in export_account(options["account"]):
            self.stdout.write(orjson.dumps(document, option=orjson.OPT_UTC_Z).decode())
            number += 1
        record("account_exported", Order, shell=shell_user(), orders=number)
        self.stderr.write(f"{number} orders.")
