"""Limits on attempts to log in, and their record.

Before a password is hashed, its sender may have to wait. Wrong passwords of the last day are counted:

- by name, over all addresses: against guessing one name's password from a thousand addresses;
- by network (core.http.client_address), over all names: against trying one password on a thousand names;
- for a browser that has logged in with this name before: by that browser alone, which is recognised by a cookie. So a
  stranger's guesses, from wherever, never lock users out of the browser that they use every day.

The first few are free, then each doubles the time to wait, up to a limit: nobody is locked out for good. The right
password resets the wrong ones for the same name from the same network. In front of all this django-axes limits attempts
for a name from an address.

Names are stored and logged as a keyed hash, because people type passwords into the field for the name.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, NamedTuple

import structlog
from axes.utils import reset
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import ngettext

from core.http.client_address import client_address, client_network
from core.http.csp import ADMIN
from core.http.middleware import answer
from core.problems import Problem
from core.request_metrics import LOGINS
from huuva import hashing
from huuva.models import LoginAttempt

WINDOW: Final = timedelta(days=1)
LOGIN: Final = f"{ADMIN}login/"
COOKIE: Final = "huuva_known_browser"
COOKIE_SECONDS: Final = 400 * 24 * 3600  # as long as browsers keep any
# Networks that must wait, cached so that this process needs no query.
MOST_CACHED: Final = 10_000

log = structlog.get_logger(__name__)


class Limit(NamedTuple):
    """After `free` wrong passwords there is a second to wait, doubled by each further one."""

    free: int
    longest_seconds: int

    def seconds(self, wrong: int) -> int:
        """Between the last of this many wrong passwords and the next attempt."""
        return 0 if wrong < self.free else min(2 ** min(wrong - self.free, 30), self.longest_seconds)

    def wait(self, wrong: QuerySet[LoginAttempt]) -> float:
        """Seconds from now on."""
        attempts = wrong.aggregate(count=Count("pk"), last=Max("at"))
        if not (seconds := self.seconds(attempts["count"])):
            return 0.0
        since = (timezone.now() - attempts["last"]).total_seconds()
        # Negative if the clock was set back.
        return max(0.0, seconds - max(0.0, since))


NAME: Final = Limit(free=10, longest_seconds=900)
NETWORK: Final = Limit(free=30, longest_seconds=600)
BROWSER: Final = Limit(free=10, longest_seconds=900)


def name_digest(name: str) -> str:
    """Stands for a name in tables and logs: always the same, and not reversible without our key."""
    return salted_hmac("huuva.login-name", name, algorithm="sha256").hexdigest()[:32]


def counted_name(request: HttpRequest, credentials: Mapping[str, Any] | None) -> str:
    """For django-axes: the entered name, as it is stored."""
    return name_digest(str((credentials or request.POST).get("username") or ""))


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt to log in. `browser` is empty for one that has never logged in with this name."""

    name: str
    address: str
    network: str
    browser: str

    @classmethod
    def of(cls, request: HttpRequest, username: str) -> Attempt:
        name = name_digest(username)
        return cls(name, client_address(request), client_network(request), known_browser(request, name))

    def wait(self) -> tuple[float, str]:
        """Seconds to wait (0: none) and by which limit: name, network or browser."""
        wrong = LoginAttempt.objects.filter(at__gte=timezone.now() - WINDOW, right=False, forgiven=False)
        if self.browser:
            return BROWSER.wait(wrong.filter(browser=self.browser)), "browser"
        wrong = wrong.filter(browser="")
        by_name = NAME.wait(wrong.filter(name=self.name))
        by_network = NETWORK.wait(wrong.filter(network=self.network))
        return max((by_network, "network"), (by_name, "name"))

    def record(self, *, right: bool) -> None:
        LoginAttempt.objects.create(
            at=timezone.now(),
            name=self.name,
            address=self.address,
            network=self.network,
            browser=self.browser,
            right=right,
        )
        if right:
            own = Q(browser=self.browser) if self.browser else Q(browser="", network=self.network)
            LoginAttempt.objects.filter(own, name=self.name, right=False, forgiven=False).update(
                forgiven=True
            )
        self.log("right" if right else "wrong")

    def log(self, outcome: str, **more: Any) -> None:
        """Write a line of the log, and count it in the metrics."""
        LOGINS.labels(outcome).inc()
        write = log.info if outcome == "right" else log.warning
        write("login", outcome=outcome, name=self.name, address=self.address, **more)


class LoginBackend(ModelBackend):
    """Checks a password, unless its sender must wait. Raises Problem `too_many_logins` (429), or `logins_busy` (503)
    while others are being checked. A password that is wrong here is checked by no other backend."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        if request is None or username is None or password is None:
            return None
        attempt = Attempt.of(request, username)
        seconds, limit = attempt.wait()
        if seconds:
            attempt.log("refused", limit=limit)
            if limit == "network":
                cache_wait(attempt.network, seconds)
            raise too_many(seconds)
        try:
            user = super().authenticate(request, username=username, password=password)
        except Problem:
            attempt.log("busy")
            raise
        attempt.record(right=user is not None)
        # For LoginMiddleware and `locked_out`.
        request.login_checked = (attempt, user)  # type: ignore[attr-defined]
        if user is None:
            raise PermissionDenied
        return user


def too_many(seconds: float) -> Problem:
    """The refusal, which says when to try again."""
    seconds = max(1, math.ceil(seconds))
    if seconds < 120:
        text = ngettext(
            "Too many wrong passwords. Try again in %d second.",
            "Too many wrong passwords. Try again in %d seconds.",
            seconds,
        )
        detail = text % seconds
    else:
        text = ngettext(
            "Too many wrong passwords. Try again in %d minute, or ask a colleague to set a new one.",
            "Too many wrong passwords. Try again in %d minutes, or ask a colleague to set a new one.",
            math.ceil(seconds / 60),
        )
        detail = text % math.ceil(seconds / 60)
    return Problem("too_many_logins", detail, status=429, headers={"Retry-After": str(seconds)})


def forgive(names: Collection[str]) -> None:
    """Stop counting the wrong passwords of these names (as `name_digest` returns them)."""
    LoginAttempt.objects.filter(name__in=names, right=False, forgiven=False).update(forgiven=True)
    for name in names:
        reset(username=name)
    _waiting.clear()


# --- known browsers


def known_browser(request: HttpRequest, name: str) -> str:
    """The browser's id in the table if it has logged in with this name, else empty."""
    return _known(request).get(name, "")


def is_known(request: HttpRequest, credentials: Mapping[str, Any] | None) -> bool:
    """For django-axes, which doesn't count attempts that are counted by browser."""
    return bool(known_browser(request, counted_name(request, credentials)))


def _known(request: HttpRequest) -> dict[str, str]:
    """Name → id of the browser, from its cookie, which is signed and has names as hashes."""
    try:
        known = signing.loads(request.COOKIES.get(COOKIE, ""), salt=COOKIE, max_age=COOKIE_SECONDS)
    except signing.BadSignature:
        return {}
    return known if isinstance(known, dict) else {}


# --- networks that must wait

_waiting: dict[str, float] = {}


def cache_wait(network: str, seconds: float) -> None:
    while len(_waiting) >= MOST_CACHED:
        _waiting.pop(next(iter(_waiting)), None)
    _waiting[network] = time.monotonic() + seconds


class LoginMiddleware:
    """Refuses attempts that would be refused anyway before they cost a query, and sets the cookie of known browsers."""

    # Names in a browser's cookie; of more, the first is dropped.
    MOST_NAMES: Final = 10

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method != "POST" or request.path_info != LOGIN:
            return self.get_response(request)
        refusal = self._refuse(request)
        if refusal is not None:
            return answer(request, refusal)
        response = self.get_response(request)
        attempt, user = getattr(request, "login_checked", (None, None))
        if attempt is not None and user is not None:
            known = _known(request)
            browser = known.pop(attempt.name, None) or secrets.token_hex(16)
            known[attempt.name] = browser
            while len(known) > self.MOST_NAMES:
                del known[next(iter(known))]
            response.set_cookie(
                COOKIE,
                signing.dumps(known, salt=COOKIE),
                max_age=COOKIE_SECONDS,
                path=ADMIN,
                secure=settings.HUUVA_HTTPS,
                httponly=True,
                samesite="Lax",
            )
        return response

    @staticmethod
    def _refuse(request: HttpRequest) -> Problem | None:
        network = client_network(request)
        seconds = _waiting.get(network, 0.0) - time.monotonic()
        attempt = Attempt(counted_name(request, None), client_address(request), network, "")
        if seconds <= 0:
            _waiting.pop(network, None)
        elif not _known(request):
            attempt.log("refused", limit="network")
            return too_many(seconds)
        if hashing.turn.is_full:
            attempt.log("busy")
            return hashing.busy()
        return None


def locked_out(request: HttpRequest, original: HttpResponse, credentials: Any) -> HttpResponse:
    """Of django-axes: too many wrong passwords for a name from this address."""
    if not hasattr(request, "login_checked"):
        Attempt.of(request, str(request.POST.get("username", ""))).log("refused", limit="name and address")
    return answer(request, too_many(settings.AXES_COOLOFF_TIME.seconds))
