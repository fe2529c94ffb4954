"""The query parameters of the reports."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from analytics.reports import Scope
from core.queries import Query, Text, Time, up_to

MAX_ROWS = 1000
Limit = Annotated[int, Field(ge=1, le=MAX_ROWS), up_to(MAX_ROWS)]
_FROM = "at or after. The hour that holds it counts as a whole."
_TO = "before. An hour that it cuts counts as a whole."


class _ReportQuery(Query):
    since: Time = Field(None, alias="from", description=f"Created {_FROM}")
    until: Time = Field(None, alias="to", description=f"Created {_TO}")
    kitchen: Text = Field(None, description="The kitchen's slug.")
    brand_id: Text = None

    @field_validator("until")
    @classmethod
    def _after_since(cls, until: datetime | None, info: ValidationInfo) -> datetime | None:
        since = info.data.get("since")
        if since is not None and until is not None and since >= until:
            raise PydanticCustomError("range", "The range ends before it begins; send a time after from.")
        return until

    def scope(self, key_kitchen: str | None) -> Scope:
        """`key_kitchen`: the kitchen that the caller's key is for; None: all."""
        kitchens = tuple(slug for slug in (self.kitchen, key_kitchen) if slug is not None)
        return Scope(self.since, self.until, kitchens, self.brand_id)


class OrderDurationQuery(_ReportQuery):
    since: Time = Field(None, alias="from", description=f"Ended {_FROM}")
    until: Time = Field(None, alias="to", description=f"Ended {_TO}")


class ItemDurationQuery(OrderDurationQuery):
    plu: Text = Field(None, description="Of this product only.")

    def scope(self, key_kitchen: str | None) -> Scope:
        return replace(super().scope(key_kitchen), plu=self.plu or "")


class HourQuery(_ReportQuery):
    limit: Limit = 24


class CustomerQuery(_ReportQuery):
    limit: Limit = 100
