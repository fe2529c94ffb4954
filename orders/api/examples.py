"""The example in the API's description: one order, when it is new and after its first move."""

from typing import Any

NEW_ORDER: dict[str, Any] = {
    "account": "60bfc6dc4887c9851d5a0246",
    "brandId": "60bfc6dc4887c9851d5a0245",
    "channelOrderId": "TEST1626898082",
    "channelOrderDisplayId": "82",
    "channel": "wolt",
    "customer": {"name": "John Doe", "phoneNumber": "+123456789"},
    "pickupTime": "2026-05-01T18:30:00Z",
    "items": [
        {
            "plu": "CAT1-0001",
            "name": "Hawaii Burger",
            "quantity": 1,
            "price": 1290,
            "modifiers": [{"name": "Extra cheese", "quantity": 1}],
            "allergens": ["milk"],
        },
        {"plu": "CAT2-0001", "name": "Sushi Set Large", "quantity": 1, "price": 2450},
    ],
    "note": "Ring twice",
}


def _entry(status: str, sequence: int) -> dict[str, Any]:
    return {
        "status": status,
        "timestamp": "2026-05-01T18:05:00Z",
        "kind": "transition",
        "actor": "key:wolt",
        "from": None,
        "change": 1,
        "sequence": sequence,
        "reason": "",
    }


def _item(position: int) -> dict[str, Any]:
    new = NEW_ORDER["items"][position]
    return {
        "plu": new["plu"],
        "name": new["name"],
        "quantity": new["quantity"],
        "status": "ORDERED",
        "statusHistory": [_entry("ORDERED", position + 2)],
        "position": position,
        "note": "",
        "modifiers": new.get("modifiers", []),
        "allergens": new.get("allergens", []),
        "price": new["price"],
    }


ORDER: dict[str, Any] = {
    "id": "019dfb6c-7f80-7c4e-9f0a-3b1f0c9d2e11",
    "createdAt": "2026-05-01T18:05:00Z",
    "updatedAt": "2026-05-01T18:05:00Z",
    "kitchen": "main",
    "account": NEW_ORDER["account"],
    "brandId": NEW_ORDER["brandId"],
    "channel": "wolt",
    "channelOrderId": NEW_ORDER["channelOrderId"],
    "channelOrderDisplayId": "82",
    "customer": NEW_ORDER["customer"],
    "deliveryAddress": None,
    "pickupTime": NEW_ORDER["pickupTime"],
    "dueAt": NEW_ORDER["pickupTime"],
    "note": NEW_ORDER["note"],
    "currency": "EUR",
    "items": [_item(0), _item(1)],
    "status": "RECEIVED",
    "statusHistory": [_entry("RECEIVED", 1)],
    "version": 1,
}

EVENT: dict[str, Any] = {
    "cursor": "NzkyLjEuMDE5ZGZiNmM",
    "orderId": ORDER["id"],
    "sequence": 1,
    "plu": None,
    "from": None,
    "to": "RECEIVED",
    "kind": "transition",
    "change": 1,
    "recalls": None,
    "at": "2026-05-01T18:05:00Z",
    "recordedAt": "2026-05-01T18:05:00Z",
    "actor": "key:wolt",
    "reason": "",
}
