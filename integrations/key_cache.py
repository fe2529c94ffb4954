"""API keys that this process has read in the last seconds, so that a request needs no query for its key (ADR 10)."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Final

from django.db import DatabaseError, transaction
from django.utils import timezone
from structlog import get_logger

from integrations.models import ApiKey
from integrations.scopes import CUSTOMERS

# A revoked key must be dead everywhere within 5 s; no message between processes is needed for that.
CACHE_SECONDS: Final = 3.0
CACHE_SIZE: Final = 2048
LAST_USED_PRECISION: Final = timedelta(minutes=1)

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class KeyGrant:
    """What the key of a request may do; `request.auth` of the API. `kitchen` None means all kitchens."""

    id: int
    name: str
    prefix: str
    scopes: frozenset[str]
    kitchen: str | None
    rate_limit: int | None

    @property
    def sees_customers(self) -> bool:
        return CUSTOMERS in self.scopes


@dataclass(frozen=True, slots=True)
class KeyPrincipal:
    """Who calls; `request.user` of the API. `actor` is what history rows keep."""

    actor: str
    is_authenticated: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False
    is_active: ClassVar[bool] = True


@dataclass(slots=True)
class CachedKey:
    """One row of ApiKey as it was at most CACHE_SECONDS ago. `expires_at` is seconds since the epoch."""

    digest: str
    revoked: bool
    expires_at: float | None
    last_used_is_old: bool
    principal: KeyPrincipal
    grant: KeyGrant
    fresh_until: float


class KeyCache:
    """Keys by prefix, thread-safe and bounded.

    Unknown prefixes have a table of their own, so that guesses don't push out real keys.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: dict[str, CachedKey] = {}
        self._unknown: dict[str, float] = {}

    def get(self, prefix: str) -> CachedKey | None:
        """The key with this prefix; None where there is none. Raises database errors: they are no wrong key."""
        now = self._clock()
        entry = self._keys.get(prefix)
        if entry is not None and entry.fresh_until > now:
            return entry
        if self._unknown.get(prefix, 0.0) > now:
            return None
        entry = _load(prefix, now + CACHE_SECONDS)
        with self._lock:
            if entry is None:
                self._keys.pop(prefix, None)
                _put(self._unknown, prefix, now + CACHE_SECONDS)
            else:
                self._unknown.pop(prefix, None)
                _put(self._keys, prefix, entry)
        return entry

    def forget(self, prefix: str) -> None:
        with self._lock:
            self._keys.pop(prefix, None)
            self._unknown.pop(prefix, None)

    def clear(self) -> None:
        with self._lock:
            self._keys.clear()
            self._unknown.clear()


def _put[T](table: dict[str, T], prefix: str, value: T) -> None:
    """Add an entry; where the table is full, the one that was read longest ago is removed."""
    table.pop(prefix, None)
    while len(table) >= CACHE_SIZE:
        del table[next(iter(table))]
    table[prefix] = value


def _load(prefix: str, fresh_until: float) -> CachedKey | None:
    row = (
        ApiKey.objects.filter(prefix=prefix)
        .values_list(
            "id",
            "name",
            "digest",
            "scopes",
            "kitchen_id",
            "rate_limit",
            "expires_at",
            "revoked_at",
            "last_used_at",
        )
        .first()
    )
    if row is None:
        return None
    key_id, name, digest, scopes, kitchen, rate_limit, expires_at, revoked_at, last_used_at = row
    return CachedKey(
        digest=digest,
        revoked=revoked_at is not None,
        expires_at=None if expires_at is None else expires_at.timestamp(),
        # In both directions: the clock may have been set back.
        last_used_is_old=last_used_at is None or abs(timezone.now() - last_used_at) > LAST_USED_PRECISION,
        principal=KeyPrincipal(f"key:{name}"),
        grant=KeyGrant(key_id, name, prefix, frozenset(scopes), kitchen, rate_limit),
        fresh_until=fresh_until,
    )


def note_use(entry: CachedKey) -> None:
    """Write `last_used_at`, once a minute for each key at most; a failure is logged, the request goes on."""
    if not entry.last_used_is_old:
        return
    entry.last_used_is_old = False
    now = timezone.now()
    try:
        with transaction.atomic():
            # SKIP LOCKED: a manager who is changing the key must not hold up its requests.
            free = ApiKey.objects.select_for_update(skip_locked=True).filter(pk=entry.grant.id)
            ApiKey.objects.filter(pk__in=free.values("pk")).update(last_used_at=now)
    except DatabaseError as error:
        log.warning("key_last_used_not_written", key=entry.grant.prefix, error=type(error).__name__)


key_cache: Final = KeyCache()
