"""Links, places and bodies of channels, a client that signs as they do, and how much it left behind."""

import json
from copy import deepcopy
from typing import Any

from django.test import Client

from integrations.channels.schema import DELIVERECT_ORDER
from integrations.channels.secrets import encrypt_secret, sign
from integrations.models.channels import ChannelLink, ChannelLocation, ChannelMessage
from orders.models import Kitchen, Order
from orders.tests.factories import kitchen as make_kitchen

SECRET = "a-secret-of-the-channel"
URL = "/api/channels/deliverect/orders"
HEADER = "x-server-authorization-hmac-sha256"
LINK_ID, LOCATION = "channel-link-1", "location-1"
JSON = "application/json"


def link(slug: str = "deliverect", *, secret: str = SECRET, kitchen: Kitchen | None = None, **fields: Any):
    """A link whose location LOCATION cooks in `kitchen` (main)."""
    given = {"channel_kind": "deliverect", "name": "Wolt", "external_id": LINK_ID, **fields}
    made = ChannelLink.objects.create(slug=slug, secret=encrypt_secret(secret), **given)
    ChannelLocation.objects.create(link=made, external_id=LOCATION, kitchen=kitchen or make_kitchen())
    return made


def body(_id: str = "d-1", **fields: Any) -> dict[str, Any]:
    return {**deepcopy(DELIVERECT_ORDER), "_id": _id, "channelLink": LINK_ID, "location": LOCATION, **fields}


def cancel(_id: str = "d-1", **fields: Any) -> dict[str, Any]:
    return body(_id, status=100, **fields)


def send(
    data: Any,
    *,
    secret: str = SECRET,
    signature: str | None = None,
    url: str = URL,
    header: str = HEADER,
    **more: Any,
):
    """Posts a body (bytes as they are) with its signature, or with the one given."""
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    headers = {header: sign(secret, raw) if signature is None else signature, **more}
    return Client().post(url, raw, content_type=JSON, headers={k: v for k, v in headers.items() if v})


def stored() -> tuple[int, int, int]:
    """Orders, messages and places that there are."""
    return Order.objects.count(), ChannelMessage.objects.count(), ChannelLocation.objects.count()
