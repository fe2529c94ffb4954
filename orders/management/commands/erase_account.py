from typing import Any

import structlog
from django.contrib.admin.models import DELETION
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from orders.audit import record, shell_user
from orders.errors import OrdersStillOpen
from orders.management.asking import agreed
from orders.models import Order
from orders.privacy import erase_account

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = (
        "Remove a customer's data from all orders of an account, for good, and give the account a random name. "
        "Backups made before still hold it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account")
        parser.add_argument("--yes", action="store_true", help="don't ask")

    def handle(self, *args: Any, **options: Any) -> None:
        account = options["account"]
        if not options["yes"] and not agreed(f"Erase all data of account {account}, for good?"):
            raise CommandError("Nothing was erased.")
        try:
            with transaction.atomic():
                erased = erase_account(account)
                record(
                    "account_erased",
                    Order,
                    flag=DELETION,
                    shell=shell_user(),
                    orders=erased.orders,
                    account=erased.account,
                )
        except OrdersStillOpen as refusal:
            raise CommandError(refusal.detail) from None
        log.info("account_erased", orders=erased.orders, now_called=erased.account)
        self.stdout.write(f"{erased.orders} orders; the account is called {erased.account} now.")
