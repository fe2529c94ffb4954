"""Management commands and API keys for the live stack: a line of JSON in, a line of JSON out.

One process for all of them, so that Django is loaded once and not for each.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402

from integrations.tests.factories import ApiKeyFactory  # noqa: E402
from orders.tests.factories import KitchenFactory  # noqa: E402


def manage(words: Sequence[str]) -> dict[str, Any]:
    """Runs a command; returns what it printed, and as `error` why it failed."""
    printed = io.StringIO()
    error = ""
    try:
        with contextlib.redirect_stdout(printed):
            call_command(*words)
    except SystemExit as ended:
        error = f"it ended with code {ended.code}" if ended.code else ""
    except Exception:  # noqa: BLE001  (shown to the test that sent the command)
        error = traceback.format_exc()
    return {"printed": printed.getvalue(), "error": error}


def key(fields: dict[str, Any]) -> dict[str, Any]:
    for slug in ("main", fields["kitchen"]):
        if slug is not None:
            name = "Main kitchen" if slug == "main" else slug.title()
            KitchenFactory(slug=slug, name=name)
    return {"key": ApiKeyFactory(**fields).plain}


# What a command's own children print must not get between our lines.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
for line in sys.stdin:
    question = json.loads(line)
    answer = manage(question["manage"]) if "manage" in question else key(question["key"])
    # A server may be killed before the next line comes.
    connections.close_all()
    answers.write(json.dumps(answer) + "\n")
    answers.flush()
