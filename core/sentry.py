"""Errors to Sentry, where HUUVA_SENTRY_DSN is set: what failed and where, never a customer's data."""

from __future__ import annotations

from typing import Any

import structlog

from core.logs import without_secrets


def start(dsn: str, environment: str) -> None:
    """Starts the SDK, for web, worker and beat. Imported only here: without a DSN it costs nothing."""
    import sentry_sdk

    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        # No addresses, cookies, users (which is the SDK's default), bodies or local variables: all of them may hold
        # customers' data.
        max_request_body_size="never",
        include_local_variables=False,
        max_breadcrumbs=0,
        before_send=cleaned,
    )


def cleaned(event: Any, hint: dict[str, Any]) -> Any:
    """The event without what may hold a customer's name: queries, headers, and all of a message but its first line
    (PostgreSQL's DETAIL holds the row that it refused). Keeps the request's id, which leads to our log."""
    request = event.pop("request", None) or {}
    if "url" in request:
        event["request"] = {
            "method": request.get("method"),
            "url": without_secrets(request["url"].partition("?")[0]),
        }
    event.pop("user", None)
    event.pop("extra", None)
    # What was logged: the words as they stand in the code, never what was put into them.
    if "logentry" in event:
        # structlog hands on all that it knows of an event instead of a text.
        said = getattr(hint.get("log_record"), "msg", None) or event["logentry"].get("message", "")
        text = said.get("event", "") if isinstance(said, dict) else said
        event["logentry"] = {"message": str(text).partition("\n")[0]}
    for entry in (event.get("exception") or {}).get("values", []):
        entry["value"] = (entry.get("value") or "").partition("\n")[0]
    ids = structlog.contextvars.get_contextvars()
    event["tags"] = {name: ids[name] for name in ("request_id", "trace_id") if name in ids}
    return event
