"""Issues and ends API keys: `huuva_<prefix>_<secret>`, of which only the prefix and a digest are stored."""

import hashlib
import re
import secrets
import string
from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from integrations.deliveries import health, progress
from integrations.key_cache import key_cache
from integrations.models import ApiKey, Sink, WebhookEndpoint
from orders.models import Kitchen

PREFIX_LENGTH: Final = 10
SECRET_LENGTH: Final = 32
_PREFIX_ALPHABET: Final = string.ascii_lowercase + string.digits
_SECRET_ALPHABET: Final = string.ascii_letters + string.digits
_FORMAT: Final = re.compile(r"huuva_([a-z0-9]{1,16})_([A-Za-z0-9]{16,128})")


class ParsedKey(NamedTuple):
    prefix: str
    digest: str


def parse_key(plain: str) -> ParsedKey | None:
    """Split a key into prefix and digest; None where it can't be one of ours."""
    match = _FORMAT.fullmatch(plain)
    if match is None:
        return None
    return ParsedKey(match[1], digest_of(match[2]))


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode("ascii")).hexdigest()


def issue_key(
    name: str,
    scopes: Iterable[str],
    kitchen: Kitchen | str | None = None,
    rate_limit: int | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Store a new key and return it with its plain text, which is not stored.

    `kitchen` is a kitchen or its slug, None for all; `rate_limit` is calls a minute, None for the server's
    default, 0 for none. To rotate: issue another key of the same name, move the client, revoke the old one.
    Raises ValidationError for a bad name, unknown scopes, an unknown kitchen or a negative limit.
    """
    key = ApiKey(
        name=name,
        scopes=sorted(set(scopes)),
        kitchen_id=kitchen.pk if isinstance(kitchen, Kitchen) else kitchen,
        rate_limit=rate_limit,
        expires_at=expires_at,
    )
    plain = give_secret(key)
    key.full_clean()
    key.save(force_insert=True)
    return key, plain


def give_secret(key: ApiKey) -> str:
    """Give a key that isn't stored yet its prefix and digest; return its plain text."""
    secret = "".join(secrets.choice(_SECRET_ALPHABET) for _ in range(SECRET_LENGTH))
    key.prefix = "".join(secrets.choice(_PREFIX_ALPHABET) for _ in range(PREFIX_LENGTH))
    key.digest = digest_of(secret)
    return f"huuva_{key.prefix}_{secret}"


def revoke_key(key: ApiKey) -> bool:
    """End a key for good; False where it was revoked before. Every process refuses it within 3 s.

    The webhooks of keys of its name are disabled, unless another active key could manage them: then it was rotated.
    What waited for them is given up; a manager can enable them again.
    """
    now = timezone.now()
    revoked = _end(key, Q(revoked_at=None), Sink.Disabled.KEY_REVOKED, revoked_at=now)
    if revoked:
        key.revoked_at = now
    key_cache.forget(key.prefix)
    return revoked


def end_expired_keys() -> int:
    """Disable the webhooks of keys that have expired, as when a key is revoked, and alert managers: nobody did it on
    purpose. Returns how many keys have expired. May run twice at once and be killed.

    Each expiry is handled once: a webhook that a manager enables again stays enabled.
    """
    now = timezone.now()
    unnoted = Q(expiry_noted_at=None) | Q(expiry_noted_at__lt=F("expires_at"))
    expired = Q(unnoted, revoked_at=None, expires_at__lte=now)
    return sum(
        _end(key, expired, Sink.Disabled.KEY_EXPIRED, expiry_noted_at=now)
        for key in ApiKey.objects.filter(expired).order_by("pk")
    )


@transaction.atomic
def _end(key: ApiKey, still: Q, reason: Sink.Disabled, **noted: datetime) -> bool:
    """Note that a key has ended, and disable its webhooks; False where `still` does not hold (any more)."""
    own = WebhookEndpoint.objects.present().filter(owner=key.name, disabled_at=None)
    if own.exists():
        # Before any row, as `health.disable` wants it.
        progress.lock()
    if not ApiKey.objects.filter(still, pk=key.pk).update(**noted):
        return False
    now = timezone.now()
    for endpoint in own:
        if not _can_manage(key.name, endpoint, now):
            health.disable(endpoint.pk, reason)
    return True


def _can_manage(name: str, endpoint: WebhookEndpoint, now: datetime) -> bool:
    """Whether a key of this name lives that could manage the webhook."""
    alive = ApiKey.objects.alive(now).filter(name=name)
    return alive.filter(Q(kitchen=None) | Q(kitchen=endpoint.kitchen_id)).exists()
