"""The description of the order API: each operation with its examples and every problem it can answer with."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from core.openapi import parameters, problems
from orders.api import examples
from orders.api.inputs import OrderIn
from orders.api.outputs import EventPage, Item, Order, OrderPage
from orders.api.patches import ItemPatch, OrderPatch, RecallIn
from orders.api.queries import EventQuery, ListQuery

_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    OpenApiParameter.HEADER,
    description="Any text of your own, such as a UUID. The same request with the same key within 72 hours is answered "
    "with the first answer, and the work is done once.",
)
_IF_MATCH = OpenApiParameter(
    "If-Match",
    {"type": "string", "pattern": '^"[1-9][0-9]{0,8}"$'},
    OpenApiParameter.HEADER,
    description="The ETag of your last read; the call is refused if the order has changed since.",
)
_IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    {"type": "string"},
    OpenApiParameter.HEADER,
    description="The ETag of your last read; 304 without a body if nothing has changed.",
)
_ID = OpenApiParameter("id", {"type": "string", "minLength": 1, "maxLength": 128}, OpenApiParameter.PATH)
_PLU = OpenApiParameter(
    "plu",
    {"type": "string", "minLength": 1, "maxLength": 128},
    OpenApiParameter.PATH,
    description="The item's PLU, percent-encoded. It may hold slashes.",
)
_BODY = {
    "invalid_json_400": "The body is not one JSON object in UTF-8.",
    "invalid_body_400": "Fields are wrong; errors names each.",
    "body_too_large_413": "The body is larger than 1 MiB.",
    "unsupported_media_type_415": "Send Content-Type: application/json.",
}
_REPEATABLE = {
    "invalid_parameter_400": "Idempotency-Key is not 1 to 255 printable ASCII characters.",
    "idempotency_in_progress_409": "The first request with this key is still running; send it again after Retry-After.",
    "idempotency_mismatch_422": "This Idempotency-Key came with another request before.",
}
_ONE = {"not_found_404": "There is no such order among those that this key may see."}
_MOVE = {
    **_BODY,
    **_REPEATABLE,
    **_ONE,
    "impossible_move_409": "From its present status it can't go there; current and allowed say where it is and may go.",
    "impossible_amendment_409": "What has ended, as current says, is not amended any more.",
    "stale_version_412": "The order has changed since you read it.",
}


def _answer(shape: Any, value: Any, description: str) -> OpenApiResponse:
    return OpenApiResponse(
        shape, description=description, examples=[OpenApiExample("Example", value=value, response_only=True)]
    )


def _request(name: str, value: Any) -> OpenApiExample:
    return OpenApiExample(name, value=value, request_only=True)


create = extend_schema(
    operation_id="createOrder",
    summary="Create an order",
    description="Takes in an order as its channel sends it. Unknown fields are ignored.",
    tags=["orders"],
    parameters=[_KEY],
    request={"application/json": OrderIn},
    examples=[_request("As a channel sends it", examples.NEW_ORDER)],
    responses={
        201: _answer(Order, examples.ORDER, "The whole order."),
        **problems(
            **_BODY,
            **_REPEATABLE,
            kitchen_forbidden_403="The key is for another kitchen.",
            order_exists_409="An order with this id exists; `order` and Location say where.",
        ),
    },
)
list_orders = extend_schema(
    operation_id="listOrders",
    summary="List orders, newest first",
    tags=["orders"],
    parameters=parameters(ListQuery),
    responses={
        200: _answer(
            OrderPage, {"results": [examples.ORDER], "next": None, "previous": None}, "A page of orders."
        ),
        **problems(invalid_parameter_400="A parameter is unknown or can't be read; errors names it."),
    },
)
retrieve = extend_schema(
    operation_id="getOrder",
    summary="Read one order",
    tags=["orders"],
    parameters=[_ID, _IF_NONE_MATCH],
    responses={
        200: _answer(Order, examples.ORDER, "The whole order."),
        304: OpenApiResponse(description="Nothing has changed since the read that If-None-Match names."),
        **problems(**_ONE),
    },
)
partial_update = extend_schema(
    operation_id="moveOrder",
    summary="Move an order on, or amend it",
    description="Statuses only move forward. Items that are behind come along. The same status again is a success.\n\n"
    "`note` and `pickupTime` amend an order that hasn't ended, and the cooks are told what changed. The same values "
    "again are a success that changes nothing. With a status as well, the order is amended and then moved: both or "
    "neither. Unknown fields are refused.",
    tags=["orders"],
    parameters=[_ID, _KEY, _IF_MATCH],
    request={"application/json": OrderPatch},
    examples=[
        _request("By name", {"status": "PREPARING"}),
        _request("By number", {"status": 2}),
        _request("Another note", {"note": "Ring once", "reason": "the customer wrote"}),
        _request("Later", {"pickupTime": "2026-05-01T19:00:00Z"}),
    ],
    responses={200: _answer(Order, examples.ORDER, "The whole order."), **problems(**_MOVE)},
)
update_item = extend_schema(
    operation_id="moveItem",
    summary="Move one item on, or amend it",
    description="The order follows its items, where its kitchen wants that.\n\n"
    "`note` and `quantity` amend an item that hasn't ended, and the cooks are told what changed. With a status as "
    "well, the item is amended and then moved: both or neither. Unknown fields are refused.",
    tags=["orders"],
    parameters=[_ID, _PLU, _KEY, _IF_MATCH],
    request={"application/json": ItemPatch},
    examples=[
        _request("Ready", {"status": "READY"}),
        _request("Three, and no onion", {"quantity": 3, "note": "no onion"}),
    ],
    responses={200: _answer(Item, examples.ORDER["items"][0], "The item."), **problems(**_MOVE)},
)
recall = extend_schema(
    operation_id="recall",
    summary="Take back the latest change",
    description="Of the order or, with `plu`, of one item; as a whole, within the kitchen's time for it.",
    tags=["orders"],
    parameters=[_ID, _KEY, _IF_MATCH],
    request={"application/json": RecallIn},
    examples=[
        _request("The order's", {"reason": "bumped by mistake"}),
        _request("One item's", {"plu": "CAT1-0001"}),
    ],
    responses={
        200: _answer(Order, examples.ORDER, "The whole order."),
        **problems(
            **_BODY,
            **_REPEATABLE,
            **_ONE,
            nothing_to_recall_409="There is no change that could be taken back.",
            cancellation_is_final_409="A cancellation stays; the channel has been told.",
            recall_expired_409="The change is older than the kitchen takes back.",
            recall_blocked_409="Something of that change has moved on since; recall that first.",
            stale_version_412="The order has changed since you read it.",
        ),
    },
)
events = extend_schema(
    operation_id="listEvents",
    summary="Read what has changed since",
    description="Every change of every order, in a stable order without gaps: for reconciliation. Keep `next`.",
    tags=["orders"],
    parameters=parameters(EventQuery),
    responses={
        200: _answer(
            EventPage,
            {"results": [examples.EVENT], "next": examples.EVENT["cursor"], "hasMore": False},
            "Events.",
        ),
        **problems(invalid_parameter_400="A parameter is unknown or can't be read; errors names it."),
    },
)
