"""Errors to Sentry, where HUUVA_SENTRY_DSN is set: what failed and where, never a customer's data."""

from __future__ import annotations

from typing import Any

import structlog

from core.logs import without_secrets


def start(dsn: str, environment: str) -> None:
    """Start the SDK, for web, worker and beat. It is imported only here: without a DSN it costs nothing."""
    import sentry_sdk

    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        # No IP addresses, cookies, users (the SDK's default), bodies or local variables: they may hold customers' data.
        max_request_body_size="never",
        include_local_variables=False,
        max_breadcrumbs=0,
        before_send=cleaned,
    )


def cleaned(event: Any, hint: dict[str, Any]) -> Any:
    """The event without what may hold a customer's name: queries, headers, and all but the first line of a message
    (PostgreSQL's DETAIL line holds the refused row). It keeps the request's id, which leads to our log."""
    request = event.pop("request", None) or {}
    if "url" in request:
        event["request"] = {
            "method": request.get("method"),
            "url": without_secrets(request["url"].partition("?")[0]),
        }
    event.pop("user", None)
    event.pop("extra", None)
    # Of what was logged, the text as written in the code, without its values.
    if "logentry" in event:
        # structlog passes a dict of everything about the event instead of a text.
        message = getattr(hint.get("log_record"), "msg", None) or event["logentry"].get("message", "")
        text = message.get("event", "") if isinstance(message, dict) else message
        event["logentry"] = {"message": str(text).partition("\n")[0]}
    for entry in (event.get("exception") or {}).get("values", []):
        entry["value"] = (entry.get("value") or "").partition("\n")[0]
    ids = structlog.contextvars.get_contextvars()
    event["tags"] = {name: ids[name] for name in ("request_id", "trace_id") if name in ids}
    return event
