"""Messages in Celery's queue that no worker can read, or that name what isn't there."""

from __future__ import annotations

import base64
import json
import uuid
from typing import Any

import redis

from tests.chaos.context import FaultContext

QUEUE = "celery"
TAKEN_SECONDS = 10.0


def poisons() -> dict[str, bytes]:
    """Each by what is wrong with it. Any of them can come from another program, or another release, on the same Valkey."""
    return {
        "no JSON": b"\x80\x04garbage",
        "no UTF-8": b'{"body": "\xff\xfe"}',
        "no object": b"[1, 2, 3]",
        "null": b"null",
        "an object without properties": b'{"body": "x"}',
        "properties without a delivery tag": _message(properties={}),
        "a body that is no base64": _message(body="%%%"),
        "a body that is no JSON": _message(body=_encoded(b"{")),
        "a body of another shape": _message(body=_encoded(b'"one"')),
        "a content type that nobody accepts": _message(content_type="application/x-python-serialize"),
        "an encoding that there isn't": _message(content_encoding="utf-99"),
        "no headers": _message(headers=None),
        "headers without a task": _message(headers={}),
        "a task that there isn't": _message(headers={"task": "huuva.tasks.no_such", "id": "1"}),
        "arguments that the task doesn't take": _message(body=_encoded(b'[[1, 2], {"three": 3}, {}]')),
        "a time that is none": _message(headers={**_headers(), "expires": "yesterday", "eta": "soon"}),
    }


def poison_queue(client: redis.Redis) -> int:
    """Puts one of each into the queue, where the worker takes it next; returns how many."""
    messages = list(poisons().values())
    client.rpush(QUEUE, *messages)
    return len(messages)


def poison(context: FaultContext) -> None:
    from django.conf import settings

    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5) as client:
        count = poison_queue(client)
        # Until they are taken, what is done may have been taken before them.
        took = context.until(lambda: client.llen(QUEUE) == 0, TAKEN_SECONDS)
    when = f"after {took:.1f} s" if took is not None else f"not within {TAKEN_SECONDS:.0f} s"
    context.note(f"{count} messages that can't be read; the queue was empty {when}")


def _headers() -> dict[str, Any]:
    return {"task": "huuva.tasks.beat_heartbeat", "id": str(uuid.uuid4()), "lang": "py"}


def _encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _message(**changed: Any) -> bytes:
    """A task as Celery sends it, with something else in it."""
    message = {
        "body": _encoded(b"[[], {}, {}]"),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": _headers(),
        "properties": {
            "delivery_tag": str(uuid.uuid4()),
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": QUEUE},
            "priority": 0,
            "body_encoding": "base64",
        },
    }
    message |= {
        name.replace("_", "-") if name.startswith("content") else name: value
        for name, value in changed.items()
    }
    return json.dumps(message).encode()
