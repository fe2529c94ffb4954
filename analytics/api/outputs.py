"""The answers of the analytics API, for the API's description. `analytics.reports` makes them."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel
from pydantic.alias_generators import to_camel


class _Output(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


class _Duration(_Output):
    avg_duration_seconds: float
    count: int = Field(description="How many times in this status have ended.")
    p50_seconds: float = Field(alias="p50Seconds", description="The median, within 2 %.")
    p90_seconds: float = Field(alias="p90Seconds", description="Nine of ten were not longer, within 2 %.")
    p95_seconds: float = Field(alias="p95Seconds", description="19 of 20 were not longer, within 2 %.")


class OrderStatusDuration(_Duration):
    """How long orders stood in a status before they left it."""

    status: Literal["RECEIVED", "PREPARING", "READY"]


class ItemStatusDuration(_Duration):
    """How long items stood in a status before they left it."""

    status: Literal["ORDERED", "PREPARING", "READY"]


class HourlyThroughput(_Output):
    """Orders created in an hour, and what has become of them since."""

    hour: datetime = Field(description="When the hour begins, UTC.")
    order_count: int
    item_count: int = Field(description="Their items: lines, not pieces.")
    cancelled_count: int = Field(description="Of the orders, those that are cancelled.")
    recalled_count: int = Field(description="Of the orders, those in which something was taken back.")
    late_count: int = Field(description="Of the orders, those that got ready after they were due.")
    pickup_wait_count: int = Field(description="How many times READY ended by being picked up.")
    avg_pickup_wait_seconds: float | None = Field(
        description="How long these were; null where there is none."
    )


class CustomerOrderCount(_Output):
    """An account's orders, by when they were created."""

    account: str
    order_count: int
    first_order_at: datetime
    last_order_at: datetime


class OrderStatusDurations(RootModel[list[OrderStatusDuration]]):
    """By status; statuses that nothing has left are left out."""


class ItemStatusDurations(RootModel[list[ItemStatusDuration]]):
    """By status; statuses that nothing has left are left out."""


class HourlyThroughputs(RootModel[list[HourlyThroughput]]):
    """Hours that have orders, newest first."""


class CustomerOrderCounts(RootModel[list[CustomerOrderCount]]):
    """Those with the most orders first."""


class Refreshed(_Output):
    """What a refresh has done."""

    refreshed_at: datetime
    changes: int = Field(description="How many changes were new.")
    complete: bool = Field(description="False where it ran out of time; call it again to go on.")
