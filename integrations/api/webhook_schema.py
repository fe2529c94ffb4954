"""The description of the webhook API, and of what webhooks are sent."""

from typing import Any, Final

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
)

from core.openapi import parameters, problems
from integrations.api.delivery_pages import DeliveryQuery
from integrations.api.webhook_events import EVENT_EXAMPLES, WebhookEvent
from integrations.api.webhook_inputs import ReplayIn, WebhookChange, WebhookIn
from integrations.api.webhook_outputs import (
    DeliveryOut,
    DeliveryPage,
    NewWebhook,
    Replayed,
    Webhook,
    WebhookPage,
)

_ID_TEXT: Final = "6f4c1c3e-8d5b-4a53-9a39-0f6a1f7a4d21"
_WEBHOOK: Final[dict[str, Any]] = {
    "id": _ID_TEXT,
    "name": "Order screen",
    "url": "https://shop.example.com/huuva",
    "events": ["order.created", "order.status_changed", "order.recalled"],
    "kitchen": "main",
    "channel": "",
    "includeCustomer": False,
    "enabled": True,
    "disabledReason": None,
    "disabledAt": None,
    "createdAt": "2026-05-01T18:00:00Z",
    "failures": 0,
    "failingSince": None,
    "lastSuccessAt": "2026-05-01T18:05:01Z",
    "previousSecretUntil": None,
}
_NEW: Final = {
    **_WEBHOOK,
    "lastSuccessAt": None,
    "secret": "whsec_C2FtcGxlLW9ubHktbmV2ZXItYS1yZWFsLXNlY3JldA==",
}
_DELIVERY: Final[dict[str, Any]] = {
    "id": "1042",
    "messageId": "msg_Zq0J8v3nX1r5uT9wYbC2eFgHiJk",
    "type": "order.status_changed",
    "orderId": "01a21324-d22c-75f7-b1f0-1698a8340ea8",
    "sequence": 4,
    "timestamp": "2026-05-01T18:05:00Z",
    "createdAt": "2026-05-01T18:05:00Z",
    "state": "waiting",
    "attempts": 1,
    "nextAttemptAt": "2026-05-01T18:05:06Z",
    "finishedAt": None,
    "lastStatus": 500,
    "lastMs": 31,
    "tries": [{"at": "2026-05-01T18:05:01Z", "status": 500, "ms": 31, "error": "", "answer": "broken"}],
}
_NEW_BODY: Final = {
    "name": "Order screen",
    "url": "https://shop.example.com/huuva",
    "events": ["order.created", "order.status_changed", "order.recalled"],
}

_ID = OpenApiParameter(
    "id", {"type": "string", "minLength": 1, "maxLength": 36, "pattern": "^[^/\x00]+$"}, OpenApiParameter.PATH
)
_DELIVERY_ID = OpenApiParameter(
    "delivery", {"type": "string", "pattern": "^[0-9]{1,18}$"}, OpenApiParameter.PATH
)
_BODY = {
    "invalid_json_400": "The body is not one JSON object in UTF-8.",
    "invalid_body_400": "Fields are wrong; errors names each.",
    "body_too_large_413": "The body is larger than 1 MiB.",
    "unsupported_media_type_415": "Send Content-Type: application/json.",
}
_ONE = {"not_found_404": "There is no such webhook among those of this key."}
_ACTIVE = {"webhook_disabled_409": "The webhook is disabled; enable it first."}


def _answer(shape: Any, value: Any, description: str) -> OpenApiResponse:
    return OpenApiResponse(
        shape, description=description, examples=[OpenApiExample("Example", value=value, response_only=True)]
    )


def _request(name: str, value: Any) -> OpenApiExample:
    return OpenApiExample(name, value=value, request_only=True)


list_webhooks = extend_schema(
    operation_id="listWebhooks",
    summary="List webhooks",
    description="Those that keys of this key's name made; with a key for one kitchen, those of that kitchen.",
    tags=["webhooks"],
    responses={
        200: _answer(WebhookPage, {"results": [_WEBHOOK]}, "All of them."),
        **problems(invalid_parameter_400="There is no such parameter; errors names it."),
    },
)
create = extend_schema(
    operation_id="createWebhook",
    summary="Make a webhook",
    description="The answer holds its secret, which is never shown again.",
    tags=["webhooks"],
    request={"application/json": WebhookIn},
    examples=[_request("Orders", _NEW_BODY)],
    responses={
        201: _answer(NewWebhook, _NEW, "The webhook and its secret."),
        **problems(
            **_BODY,
            kitchen_forbidden_403="The key is for another kitchen.",
            too_many_webhooks_409="A key has up to 100 webhooks.",
        ),
    },
)
retrieve = extend_schema(
    operation_id="getWebhook",
    summary="Read one webhook",
    tags=["webhooks"],
    parameters=[_ID],
    responses={200: _answer(Webhook, _WEBHOOK, "The webhook."), **problems(**_ONE)},
)
partial_update = extend_schema(
    operation_id="changeWebhook",
    summary="Change, disable or enable a webhook",
    description="Enabled again it hears what happens from then on; replay brings the rest.",
    tags=["webhooks"],
    parameters=[_ID],
    request={"application/json": WebhookChange},
    examples=[
        _request("Enable", {"enabled": True}),
        _request("Move", {"url": "https://new.example.com/huuva"}),
    ],
    responses={200: _answer(Webhook, _WEBHOOK, "The webhook."), **problems(**_BODY, **_ONE)},
)
destroy = extend_schema(
    operation_id="deleteWebhook",
    summary="Delete a webhook",
    tags=["webhooks"],
    parameters=[_ID],
    responses={204: OpenApiResponse(description="It is gone, and so is its log."), **problems(**_ONE)},
)
rotate_secret = extend_schema(
    operation_id="rotateWebhookSecret",
    summary="Give a webhook a new secret",
    description="For 24 hours each message is signed by both secrets.",
    tags=["webhooks"],
    parameters=[_ID],
    request=None,
    responses={200: _answer(NewWebhook, _NEW, "The webhook and its new secret."), **problems(**_ONE)},
)
test = extend_schema(
    operation_id="testWebhook",
    summary="Send a test",
    description="A message of the type webhook.test, signed and tried like any other.",
    tags=["webhooks"],
    parameters=[_ID],
    request=None,
    responses={
        202: _answer(
            DeliveryOut,
            {
                **_DELIVERY,
                "type": "webhook.test",
                "attempts": 0,
                "lastStatus": None,
                "lastMs": None,
                "tries": [],
            },
            "It waits to be sent.",
        ),
        **problems(**_ONE, **_ACTIVE),
    },
)
replay = extend_schema(
    operation_id="replayWebhook",
    summary="Send events again",
    description="Since a time, of one order, or one delivery. Messages have the ids that they had; events that were "
    "never stored for this webhook, because it was disabled or not made yet, come too.",
    tags=["webhooks"],
    parameters=[_ID],
    request={"application/json": ReplayIn},
    examples=[
        _request("Since a time", {"since": "2026-05-01T18:00:00Z"}),
        _request("One order", {"order": "01a21324-d22c-75f7-b1f0-1698a8340ea8"}),
        _request("One delivery", {"delivery": "1042"}),
    ],
    responses={
        202: _answer(Replayed, {"deliveries": 12}, "How many wait to be sent."),
        **problems(
            **_BODY, **_ONE, **_ACTIVE, unknown_delivery_409="The webhook has no such delivery (any more)."
        ),
    },
)
deliveries = extend_schema(
    operation_id="listWebhookDeliveries",
    summary="Read what was sent, newest first",
    tags=["webhooks"],
    parameters=[_ID, *parameters(DeliveryQuery)],
    responses={
        200: _answer(DeliveryPage, {"results": [_DELIVERY], "next": None}, "A page of deliveries."),
        **problems(**_ONE, invalid_parameter_400="A parameter can't be read, or is none; errors names it."),
    },
)
delivery = extend_schema(
    operation_id="getWebhookDelivery",
    summary="Read one delivery",
    tags=["webhooks"],
    parameters=[_ID, _DELIVERY_ID],
    responses={200: _answer(DeliveryOut, _DELIVERY, "The delivery."), **problems(**_ONE)},
)

_EVENT: Final = {
    "summary": "What a webhook is sent",
    "description": "Signed as Standard Webhooks says, in the headers webhook-id, webhook-timestamp and "
    "webhook-signature. Answer with 2xx within 10 s. Events of one order come in their order, each at least once.",
    "operationId": "event",
    "tags": ["webhooks"],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/WebhookEvent"},
                "examples": {name: {"value": value} for name, value in EVENT_EXAMPLES.items()},
            }
        },
    },
    "responses": {
        "2XX": {"description": "Taken."},
        "410": {"description": "Send no more: the webhook is disabled."},
    },
}


def add_events(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Postprocessing hook: the messages, and that a replay needs a body.

    drf-spectacular's own setting WEBHOOKS leaves out the models that only messages use.
    """
    result["paths"]["/api/webhooks/{id}/replay"]["post"]["requestBody"]["required"] = True
    shape = WebhookEvent.model_json_schema(by_alias=True, ref_template="#/components/schemas/{model}")
    result["components"]["schemas"] |= {**shape.pop("$defs"), "WebhookEvent": shape}
    result["webhooks"] = {"event": {"post": _EVENT}}
    return result
