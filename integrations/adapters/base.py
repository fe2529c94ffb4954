"""The interface of a channel's adapter. It uses neither database nor request: the intake does everything else.

To add a channel: write an adapter and list it in `registry.py` (docs/adding-a-channel.md).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

from orders.new import NewItem, PastStatus
from orders.statuses import RECEIVED


class MessageType(StrEnum):
    """What a message is about."""

    ORDER = "order"
    CANCEL = "cancel"


@dataclass(slots=True, frozen=True)
class ChannelOrderIn:
    """An order as the channel sent it. `details` are those of orders.new.NewOrder.

    An item's `price` is a Decimal in whole units (12.50) or None: the intake, which knows the kitchen's currency,
    converts it to minor units. `status` is ours; `currency` empty is the kitchen's; `pickup_time` None is as soon as
    possible.
    """

    items: list[NewItem]
    details: dict[str, Any]
    pickup_time: datetime | None = None
    status: int = RECEIVED
    currency: str = ""
    history: tuple[PastStatus, ...] = ()


@dataclass(slots=True, frozen=True)
class Incoming:
    """One message, read. `external_id` and `location` are the channel's own; `status` is its word, for the log. `notes`
    say what was left out of an order that is cooked all the same, without values of the body."""

    type: MessageType
    external_id: str
    location: str = ""
    status: str = ""
    reason: str = ""
    order: ChannelOrderIn | None = None
    notes: tuple[str, ...] = ()


class Claim(NamedTuple):
    """The ids by which an unverified body claims to belong to a link: trusted only once the signature matches."""

    link: str = ""
    location: str = ""


@dataclass(slots=True, frozen=True)
class LinkFacts:
    """What an adapter gets of a link. `name` is the channel of its orders."""

    slug: str
    name: str
    external_id: str
    brand_id: str = ""
    account: str = ""
    mapping: Mapping[str, Any] | None = None


@dataclass(slots=True, frozen=True)
class StatusUpdate:
    """A change of an order to send to the channel. `status` is ours; None: the order could not be taken."""

    external_id: str
    status: int | None
    at: datetime
    reason: str = ""


@dataclass(slots=True, frozen=True)
class PaceUpdate:
    """The pace of a kitchen: `mode` is online, busy or paused."""

    location: str
    mode: str
    busy_minutes: int
    preparation_minutes: int | None
    at: datetime


class Adapter(ABC):
    """One kind of channel."""

    kind: ClassVar[str]
    # The header that carries HMAC-SHA256, hex, of the raw body, in both directions.
    signature_header: ClassVar[str]
    # Whether links of this kind need a mapping (JSON) of their own.
    has_mapping: ClassVar[bool] = False

    @abstractmethod
    def claim(self, body: Mapping[str, Any]) -> Claim:
        """The link that the body claims. The body may hold anything: nothing is verified yet."""

    @abstractmethod
    def read(self, body: Mapping[str, Any], link: LinkFacts) -> Incoming:
        """Read the message. Raises Problem `invalid_body` (400), which names every wrong field."""

    @abstractmethod
    def status_update(self, update: StatusUpdate, link: LinkFacts) -> dict[str, Any] | None:
        """The body of a status update; None where the channel has no word for the status."""

    def pace_update(self, update: PaceUpdate, link: LinkFacts) -> dict[str, Any] | None:
        """The body of a pace update; None where the channel takes none."""
        return None

    def check_mapping(self, mapping: Any) -> list[str]:
        """The errors of a link's mapping, one sentence each, with its place."""
        return []
