"""What a channel's module must know. It touches no database and no request: everything else is the intake's.

To add a channel: write one of these and name it in `registry.py` (docs/adding-a-channel.md).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

from orders.new import NewItem, PastStatus
from orders.statuses import FIRST


class MessageType(StrEnum):
    """What a message is about."""

    ORDER = "order"
    CANCEL = "cancel"


@dataclass(slots=True, frozen=True)
class ChannelOrderIn:
    """An order as the channel tells it. `details` are those of orders.new.NewOrder.

    An item's `price` is a Decimal in whole units (12.50) or None: the intake, which knows the kitchen's currency, makes
    minor units of it. `status` is ours; `currency` empty is the kitchen's. `pickup_time` None: as soon as possible.
    """

    items: list[NewItem]
    details: dict[str, Any]
    pickup_time: datetime | None = None
    status: int = FIRST
    currency: str = ""
    history: tuple[PastStatus, ...] = ()


@dataclass(slots=True, frozen=True)
class Incoming:
    """One message, read. `external_id` and `location` are the channel's own; `status` is its word, for the log. `notes`
    say what of it was left out though the order is cooked, with no values of the body."""

    matter: MessageType
    external_id: str
    location: str = ""
    status: str = ""
    reason: str = ""
    order: ChannelOrderIn | None = None
    notes: tuple[str, ...] = ()


class Claim(NamedTuple):
    """By which names an unverified body claims to belong to a link: believed only once the signature fits."""

    link: str = ""
    location: str = ""


@dataclass(slots=True, frozen=True)
class LinkFacts:
    """What an adapter may know of a link. `name` is what its orders have as their channel."""

    slug: str
    name: str
    external_id: str
    brand_id: str = ""
    account: str = ""
    mapping: Mapping[str, Any] | None = None


@dataclass(slots=True, frozen=True)
class StatusUpdate:
    """A change of ours that the channel is to hear of. `status` is ours; None: the order could not be taken."""

    external_id: str
    status: int | None
    at: datetime
    reason: str = ""


@dataclass(slots=True, frozen=True)
class PaceUpdate:
    """How a kitchen stands: `mode` is online, busy or paused; minutes are whole."""

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
        """Which link the body says it is for. It may hold anything: nothing is verified yet."""

    @abstractmethod
    def read(self, body: Mapping[str, Any], link: LinkFacts) -> Incoming:
        """The message. Raises Problem `invalid_body` (400) that names every wrong field."""

    @abstractmethod
    def status_update(self, update: StatusUpdate, link: LinkFacts) -> dict[str, Any] | None:
        """The body that tells the channel of a change; None where it has no word for it."""

    def pace_update(self, update: PaceUpdate, link: LinkFacts) -> dict[str, Any] | None:
        """The body that tells the channel how a kitchen stands; None where it does not want to know."""
        return None

    def check_mapping(self, mapping: Any) -> list[str]:
        """What is wrong with a link's mapping, one sentence for each fault, naming its place."""
        return []
