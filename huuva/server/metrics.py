"""What the server counts. Imported by workers only, after `huuva.wsgi` has set the folder of shared counters."""

from prometheus_client import Counter

TURNED_AWAY = Counter(
    "huuva_http_turned_away",
    "Requests that the server answered itself: too slow, too large, or no thread was free in time.",
    ("code",),
)
