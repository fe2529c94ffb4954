"""Errors of the domain as problems of the API."""

from typing import Any
from urllib.parse import quote

from core.api import etag
from core.problems import Problem
from orders.errors import OrderExists, Refusal, StaleVersion


def order_url(order_id: str) -> str:
    return f"/api/orders/{quote(order_id, safe='')}"


def refusal_problem(refusal: Refusal) -> Problem:
    """409, or 412 where the client's copy is stale."""
    status = 409
    headers: dict[str, str] = {}
    facts: dict[str, Any] = dict(refusal.facts)
    if isinstance(refusal, StaleVersion):
        status = 412
        headers["ETag"] = etag(refusal.version)
    elif isinstance(refusal, OrderExists):
        facts["order"] = headers["Location"] = order_url(refusal.order_id)
    return Problem(refusal.code, refusal.detail, status=status, headers=headers, **facts)
