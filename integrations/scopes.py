"""What an API key may do: the one list of scopes, used by keys, permissions, OpenAPI and admin."""

from collections.abc import Iterable
from typing import Final

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# Without it, no answer and no webhook of a key holds names, phone numbers and addresses.
CUSTOMERS: Final = "customers:read"

SCOPES: Final[dict[str, Promise]] = {
    "orders:read": _("Read orders, their items and their history"),
    "orders:write": _("Create orders and move them and their items on"),
    "orders:recall": _("Take back the latest change of an order or item"),
    CUSTOMERS: _("See customers' names, phone numbers and addresses, wherever orders appear"),
    "analytics:read": _("Read figures about orders, kitchens and customers, and refresh them"),
    "events:read": _("Read the feed of all changes"),
    "webhooks:manage": _("Create, change and delete its own webhooks, and replay their deliveries"),
}


def validate_scopes(scopes: Iterable[str]) -> None:
    """Raise ValidationError naming every unknown scope and the known ones."""
    unknown = sorted(set(scopes) - SCOPES.keys())
    if unknown:
        raise ValidationError(
            _("Unknown scope: %(unknown)s. Known scopes: %(known)s."),
            code="unknown_scope",
            params={"unknown": ", ".join(unknown), "known": ", ".join(SCOPES)},
        )
