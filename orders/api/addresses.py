"""Where an order stands in the API."""

from urllib.parse import quote


def order_url(order_id: str) -> str:
    return f"/api/orders/{quote(order_id, safe='')}"
