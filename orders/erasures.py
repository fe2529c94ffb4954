"""The list of erased accounts. `manage.py restore` uses it to repeat erasures that are newer than the backup.

It stores no account, only a digest keyed with HUUVA_SECRET_KEY.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.crypto import salted_hmac

from orders import clock
from orders.models import Erasure, Order

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Listed:
    digest: str
    account: str
    erased_at: datetime


def digest_of(account: str) -> str:
    return salted_hmac("huuva.erasures", account, algorithm="sha256").hexdigest()


def note(account: str, pseudonym: str) -> None:
    Erasure.objects.update_or_create(
        digest=digest_of(account), defaults={"account": pseudonym, "erased_at": clock.now()}
    )


def listed() -> list[Listed]:
    return [Listed(*row) for row in Erasure.objects.values_list("digest", "account", "erased_at")]


def add(erasures: Iterable[Listed]) -> None:
    """Add another database's list to this one; of each account the latest erasure counts."""
    known = {one.digest: one.erased_at for one in listed()}
    newer = [one for one in erasures if one.digest not in known or one.erased_at > known[one.digest]]
    Erasure.objects.bulk_create(
        [Erasure(digest=one.digest, account=one.account, erased_at=one.erased_at) for one in newer],
        update_conflicts=True,
        unique_fields=["digest"],
        update_fields=["account", "erased_at"],
        batch_size=BATCH,
    )


def to_repeat() -> list[tuple[str, Listed]]:
    """The accounts on the list that have orders again."""
    known = {one.digest: one for one in listed()}
    if not known:
        return []
    accounts = Order.objects.order_by().values_list("account", flat=True).distinct()
    digests = ((account, digest_of(account)) for account in accounts)
    return [(account, known[digest]) for account, digest in digests if digest in known]
