"""How a browser becomes a screen: by a code that a manager enters, or by a one-time link.

Cookie, link and waiting browser each hold a random secret of 256 bits; we keep SHA-256 digests only.
"""

import hashlib
import secrets
from collections.abc import Collection
from datetime import timedelta
from typing import Final, NamedTuple

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from kitchen_display import hints
from kitchen_display.models import PairingRequest, Screen

# Without characters that look or sound alike: 0 O, 1 I L, 2 Z, 5 S, 8 B.
ALPHABET: Final = "ACDEFGHJKMNPQRTUVWXY34679"
CODE_LENGTH: Final = 6
CODE_LIFETIME: Final = timedelta(minutes=15)
LINK_LIFETIME: Final = timedelta(days=1)
# Each unpaired visitor gets a code. More than this at once from one address is no kitchen. There is no limit for all
# addresses together: anybody could use it up for everybody else.
MOST_FROM_ADDRESS: Final = 60
_PAIRING_FIELDS: Final = (
    "digest",
    "link_digest",
    "used_link_digest",
    "link_expires_at",
    "paired_at",
    "revoked_at",
    "last_seen_at",
)


class PairingRefused(Exception):
    """The code or link isn't valid. The text says why and what to do."""


class Paired(NamedTuple):
    """`token` is for the browser's cookie; it is stored nowhere else."""

    screen: Screen
    token: str


class Waiting(NamedTuple):
    """`secret` is for the waiting browser's cookie."""

    request: PairingRequest
    secret: str


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def find_screen(token: str) -> Screen | None:
    """The screen, revoked or not, whose browser holds `token`; with kitchen and station."""
    if not 20 <= len(token) <= 100:
        return None
    screens = Screen.objects.select_related("kitchen", "station")
    return screens.filter(digest=digest_of(token)).first()


def make_link(screen: Screen) -> str:
    """The path of a link that pairs the browser which uses it first, within LINK_LIFETIME.

    The screen's present browser stays paired until then; an older link ends now.
    """
    token = secrets.token_urlsafe(32)
    screen.link_digest = digest_of(token)
    screen.link_expires_at = timezone.now() + LINK_LIFETIME
    screen.save(update_fields=["link_digest", "link_expires_at"])
    return f"/display/pair/{token}"


def find_link(link_token: str) -> Screen:
    """The screen that the link pairs. Raises PairingRefused."""
    screen = Screen.objects.filter(link_digest=digest_of(link_token)).first()
    return _unless_ended(screen)


def is_in_use_elsewhere(screen: Screen, own_tokens: Collection[str]) -> bool:
    """Whether a browser without one of `own_tokens` may show the screen now, so that a link would take it away."""
    if screen.digest is None:
        return False
    if screen.digest in {digest_of(token) for token in own_tokens}:
        return False
    return screen.revoked_at is None and screen.may_be_in_use(timezone.now())


@transaction.atomic
def use_link(link_token: str) -> Paired:
    """Pair by a link, which is used up by that. Raises PairingRefused."""
    screen = (
        Screen.objects.select_for_update(of=("self",))
        .select_related("kitchen", "station")
        .filter(link_digest=digest_of(link_token))
        .first()
    )
    return _pair(_unless_ended(screen))


def _unless_ended(screen: Screen | None) -> Screen:
    if screen is None or screen.link_expires_at is None or screen.link_expires_at < timezone.now():
        raise PairingRefused(
            _(
                "This link has been used or is too old. Ask a manager for a new one, or pair by the code below."
            )
        )
    return screen


def start_waiting(kind: str, network: str) -> Waiting:
    """A code for a browser that isn't paired. Raises PairingRefused where far too many wait at its address
    (`client_network`)."""
    now = timezone.now()
    PairingRequest.objects.filter(created_at__lt=now - CODE_LIFETIME).delete()
    if PairingRequest.objects.filter(network=network).count() >= MOST_FROM_ADDRESS:
        raise PairingRefused(
            _(
                "Too many browsers of your network wait to be paired. Try again in a quarter of an hour, "
                "or ask a manager for a pairing link."
            )
        )
    secret = secrets.token_urlsafe(32)
    while True:
        code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
        try:
            with transaction.atomic():
                request = PairingRequest.objects.create(
                    code=code, digest=digest_of(secret), kind=kind, network=network, created_at=now
                )
        except IntegrityError:
            continue  # The code is being shown by another browser.
        return Waiting(request, secret)


def find_waiting(secret: str) -> PairingRequest | None:
    """What the browser that holds `secret` waits for; None where its code has ended."""
    if not 20 <= len(secret) <= 100:
        return None
    since = timezone.now() - CODE_LIFETIME
    return PairingRequest.objects.filter(digest=digest_of(secret), created_at__gte=since).first()


def find_code(code: str) -> PairingRequest:
    """The browser that shows `code` now, however it is typed. Raises PairingRefused."""
    code = "".join(character for character in code.upper() if character.isalnum())
    since = timezone.now() - CODE_LIFETIME
    request = PairingRequest.objects.filter(code=code, created_at__gte=since, screen=None).first()
    if request is None:
        raise PairingRefused(
            _(
                "No browser shows this code now. Codes change every quarter of an hour: look at the screen again."
            )
        )
    return request


def enter_code(code: str, screen: Screen) -> None:
    """Make the browser that shows `code` this screen. Raises PairingRefused."""
    request = find_code(code)
    # Of two managers at once only one succeeds.
    if not PairingRequest.objects.filter(pk=request.pk, screen=None).update(screen=screen, kind=screen.kind):
        raise PairingRefused(_("Somebody else has just entered this code."))


@transaction.atomic
def finish_waiting(secret: str) -> Paired | None:
    """What the waiting browser gets once a manager has entered its code; None until then."""
    request = (
        PairingRequest.objects.select_for_update()
        .filter(digest=digest_of(secret))
        .exclude(screen=None)
        .first()
    )
    if request is None or request.screen_id is None:
        return None
    screen = (
        Screen.objects.select_for_update(of=("self",))
        .select_related("kitchen", "station")
        .get(pk=request.screen_id)
    )
    request.delete()
    return _pair(screen)


def _pair(screen: Screen) -> Paired:
    """Give the screen to a new browser. The one that had it is refused at once."""
    token = secrets.token_urlsafe(32)
    now, old_pairing = timezone.now(), screen.pairing
    screen.used_link_digest = screen.link_digest or ""
    screen.digest, screen.link_digest, screen.link_expires_at = digest_of(token), None, None
    screen.paired_at, screen.revoked_at, screen.last_seen_at = now, None, now
    screen.save(update_fields=_PAIRING_FIELDS)
    hints.end_pairing_on_commit(screen.kitchen_id, old_pairing)
    return Paired(screen, token)


@transaction.atomic
def revoke(screen: Screen) -> bool:
    """End a screen's pairing: its next request is refused, and its stream ends at once. False: it had ended before."""
    now = timezone.now()
    changed = Screen.objects.filter(pk=screen.pk, revoked_at=None).update(
        revoked_at=now, link_digest=None, link_expires_at=None
    )
    if changed:
        screen.revoked_at = now
        # Read again under the row's lock: another browser may have been paired meanwhile.
        screen.refresh_from_db(fields=["digest", "kitchen_id", "kind"])
        hints.end_pairing_on_commit(screen.kitchen_id, screen.pairing)
    return bool(changed)
