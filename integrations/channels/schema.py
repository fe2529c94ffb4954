"""OpenAPI of the channels' endpoints: what they take, and every problem that they answer with."""

from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from pydantic import BaseModel

from core.openapi import ALWAYS, problems
from integrations.adapters.registry import ADAPTERS


class ChannelAnswer(BaseModel):
    """Our id of the order that the message was about."""

    id: str


class SignedByLinkScheme(OpenApiAuthenticationExtension):
    """One scheme for each kind of channel, because each signs in a header of its own."""

    target_class = "integrations.channels.authentication.SignedByLink"
    name = [f"{kind}Signature" for kind in ADAPTERS]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return [
            {
                "type": "apiKey",
                "in": "header",
                "name": adapter.signature_header,
                "description": "HMAC-SHA256 of the raw body with the secret of the channel link, as hex.",
            }
            for adapter in ADAPTERS.values()
        ]

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[str]]:
        return {f"{auto_schema.view.adapter.kind}Signature": []}


DELIVERECT_ORDER: Final[dict[str, Any]] = {
    "_id": "60f8a2c81c9d440000a1b2c3",
    "account": "60bfc6dc4887c9851d5a0246",
    "brandId": "60bfc6dc4887c9851d5a0245",
    "channelOrderId": "TEST1626898082",
    "channelOrderDisplayId": "82",
    "location": "60bfc6dc4887c9851d5a0247",
    "channelLink": "60bfc6dc4887c9851d5a0248",
    "by": "",
    "status": 10,
    "orderType": 1,
    "channel": 10000,
    "pickupTime": "2026-07-22T20:28:02.000000Z",
    "deliveryTime": "2026-07-22T20:28:02Z",
    "deliveryIsAsap": True,
    "customer": {
        "name": "John Doe",
        "companyName": "",
        "phoneNumber": "+123456789",
        "email": "john@example.com",
        "note": "",
    },
    "deliveryAddress": {},
    "items": [
        {
            "plu": "CAT1-0001",
            "name": "Hawaii Burger",
            "price": 1290,
            "quantity": 1,
            "productType": 1,
            "sortOrder": 0,
            "remark": "No onion",
            "subItems": [
                {"plu": "MOD-1", "name": "Extra cheese", "price": 150, "quantity": 1, "subItems": []}
            ],
        },
        {"plu": "CAT2-0001", "name": "Sushi Set Large", "price": 2450, "quantity": 1, "subItems": []},
    ],
    "payment": {"amount": 3890, "type": 0},
    "decimalDigits": 2,
    "packaging": {"includeCutlery": False},
    "note": "Ring twice",
    "statusHistory": [
        {"timeStamp": "2026-07-22T20:08:02.123456Z", "status": 10, "response": "", "source": ""}
    ],
}
GENERIC_ORDER: Final[dict[str, Any]] = {
    "order": {"id": "A-1001", "number": "17", "state": "NEW", "ready_by": "2026-07-22T20:28:02Z"},
    "store": {"code": "harbour"},
    "lines": [
        {
            "sku": "CAT1-0001",
            "title": "Hawaii Burger",
            "qty": 2,
            "price": 1290,
            "options": [{"title": "No onion"}],
        }
    ],
}
_ID: Final = {"type": "string", "minLength": 1, "maxLength": 256}
_ENDS: Final = [100, 110, 120, "100", "110", "120"]
_QUANTITY: Final = {
    "anyOf": [
        {"type": "integer", "minimum": 1, "maximum": 9999},
        {"type": "string", "pattern": "^[1-9][0-9]{0,3}$"},
    ]
}
# The fields that we need; others are read where they are there, and stored in any case.
_DELIVERECT: Final[dict[str, Any]] = {
    "description": "Deliverect's order webhook. Other fields are stored.",
    "anyOf": [
        {
            "type": "object",
            "title": "An order, or an update of one",
            "required": ["_id", "items"],
            "properties": {
                "_id": _ID,
                "channelLink": {"type": "string"},
                "location": {"type": "string"},
                "status": {"not": {"enum": _ENDS}},
                "items": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": 500,
                    "items": {"type": "object", "properties": {"quantity": _QUANTITY}},
                },
            },
        },
        {
            "type": "object",
            "title": "A cancellation",
            "required": ["_id", "status"],
            "properties": {
                "_id": _ID,
                "channelLink": {"type": "string"},
                "location": {"type": "string"},
                "status": {"enum": _ENDS},
            },
        },
    ],
}
_PROBLEMS: Final = {
    "invalid_signature_401": "The signature does not match the body, or its link is unknown or inactive.",
    "invalid_json_400": "The body is not one JSON object in UTF-8.",
    "invalid_body_400": "Fields are wrong; errors names each. The payload is stored.",
    "not_found_404": "The order of this cancellation does not exist any more.",
    "impossible_move_409": "The order can't be cancelled any more; current says where it is.",
    "order_exists_409": "Another client has created an order with this id.",
    "body_too_large_413": "The body is larger than 1 MiB.",
    "unknown_location_422": "No kitchen is set up for this location. The payload is stored and can be replayed later.",
}


def _endpoint(name: str, summary: str, body: Any, example: Any, **more: Any) -> Any:
    always = {code: text for code, text in ALWAYS.items() if code[-3:] not in ("401", "403", "429")}
    return extend_schema(
        operation_id=name,
        summary=summary,
        description="Takes an order, or the cancellation of one. The same message again is answered like the first. "
        "A cancellation may come before its order, which then arrives cancelled.",
        tags=["channels"],
        request={"application/json": body},
        examples=[OpenApiExample("A new order", value=example, request_only=True)],
        responses={
            200: OpenApiResponse(
                ChannelAnswer,
                description="Taken, now or before.",
                examples=[
                    OpenApiExample(
                        "Example", value={"id": "deliverect:60f8a2c81c9d440000a1b2c3"}, response_only=True
                    )
                ],
            ),
            **problems(always, **_PROBLEMS),
        },
        **more,
    )


deliverect = _endpoint(
    "receiveDeliverectOrder", "Receive a message of Deliverect", _DELIVERECT, DELIVERECT_ORDER
)
generic = _endpoint(
    "receiveChannelOrder",
    "Receive a message of a channel that is connected by a mapping",
    {"type": "object", "description": "As the link's mapping says."},
    GENERIC_ORDER,
    parameters=[
        OpenApiParameter("link", {"type": "string", "pattern": "^[a-z0-9-]{1,50}$"}, OpenApiParameter.PATH)
    ],
)
