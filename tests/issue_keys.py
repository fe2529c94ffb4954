"""Issues API keys for the live stack: a line of JSON in, a line of JSON out. Django is loaded once, not per key."""

import json
import sys

import django

django.setup()

from integrations.keys import issue_key  # noqa: E402
from orders.models import Kitchen  # noqa: E402

Kitchen.objects.get_or_create(slug="main", defaults={"name": "Main kitchen"})
for line in sys.stdin:
    wanted = json.loads(line)
    if wanted["kitchen"] is not None:
        Kitchen.objects.get_or_create(slug=wanted["kitchen"], defaults={"name": wanted["kitchen"].title()})
    _, plain = issue_key(**wanted)
    print(json.dumps({"key": plain}), flush=True)  # noqa: T201  (its output is the answer)
