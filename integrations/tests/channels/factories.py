"""Links, locations and message bodies of channels, and a client that signs as they do."""

import json
from copy import deepcopy
from typing import Any

from django.test import Client
from factory import SubFactory
from factory.django import DjangoModelFactory

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
# Texts that Python's int() or Decimal() would read.
NOT_JSON_NUMBERS = ["1_000", "１２", "٣", " 7 ", "7\n", "\u20097", "+5", ".5", "5.", "NaN"]


class LinkFactory(DjangoModelFactory[ChannelLink]):
    """A link to Deliverect; `secret` is in plain text."""

    class Meta:
        model = ChannelLink

    slug = "deliverect"
    channel_kind = "deliverect"
    name = "Wolt"
    external_id = LINK_ID
    secret = SECRET

    @classmethod
    def _create(cls, model_class: type[ChannelLink], *args: Any, secret: str, **fields: Any) -> ChannelLink:
        link: ChannelLink = super()._create(model_class, *args, secret=encrypt_secret(secret), **fields)
        return link


class LocationFactory(DjangoModelFactory[ChannelLocation]):
    class Meta:
        model = ChannelLocation

    link = SubFactory(LinkFactory)
    external_id = LOCATION


def link(slug: str = "deliverect", *, kitchen: Kitchen | None = None, **fields: Any) -> ChannelLink:
    """A link whose location LOCATION cooks in `kitchen` (main)."""
    link = LinkFactory(slug=slug, **fields)
    LocationFactory(link=link, kitchen=kitchen or make_kitchen())
    return link


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
    """How many orders, messages and locations there are."""
    return Order.objects.count(), ChannelMessage.objects.count(), ChannelLocation.objects.count()
