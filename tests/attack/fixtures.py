"""What an attack needs to be there: two kitchens, keys, screens, a manager's session, and strangers' cookies."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

from tests.attack.wire import Answer, ask
from tests.live_stack import SCOPES

# Tickets on the wall whose boards are called and abandoned.
CROWD = 800
# Orders of the past, so that an export is long.
PAST = 3000
GOOD, CROWDED = "attack-good", "attack-crowded"
TRIES = 15
# Big files that pages load.
STATIC = ("*/redoc.standalone.js", "*/swagger-ui-bundle.js")


class SetupFailed(RuntimeError):
    """The stack doesn't answer as it must before any attack."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Plain text keys of the good channel, of a client of the same kitchen that goes wrong, and of the crowded kitchen;
    the links that pair two walls and the crowded one; the cookie of somebody who may export orders; big files."""

    good: str
    wrong: str
    crowded: str
    links: list[str]
    session: str
    static: list[str]


def create_data(*, short: bool) -> Credentials:
    """Makes kitchens, orders, keys and screens in the database of the stack that is to be attacked."""
    from django.contrib.auth.models import User
    from django.db import connections
    from django.test import Client

    from integrations.tests.factories import api_key
    from kitchen_display.pairing import make_link
    from kitchen_display.tests.factories import screen
    from orders.tests.factories import kitchen as make_kitchen

    kitchens = [make_kitchen(slug) for slug in (GOOD, CROWDED)]
    _create_orders(kitchens[1], 100 if short else CROWD, 0 if short else PAST)
    keys = [
        api_key(f"attack {name}", SCOPES, kitchen=kitchen)[1]
        for name, kitchen in (("good", GOOD), ("wrong", GOOD), ("crowded", CROWDED))
    ]
    links = [
        make_link(screen(name, of=kitchen))
        for name, kitchen in (("One", kitchens[0]), ("Two", kitchens[0]), ("Crowded", kitchens[1]))
    ]
    client = Client()
    client.force_login(
        User.objects.create_superuser("attack-manager"), backend="django.contrib.auth.backends.ModelBackend"
    )
    session = f"sessionid={client.cookies['sessionid'].value}"
    connections.close_all()
    return Credentials(*keys, links, session, big_static_files())


def create_data_as_json(*, short: bool) -> str:
    return json.dumps(asdict(create_data(short=short)))


def _create_orders(kitchen: Any, count: int, past: int) -> None:
    from orders import bulk, clock
    from orders.statuses import PICKED_UP
    from orders.tests.factories import new_order

    came = clock.now() - timedelta(minutes=1)
    lives = []
    for number in range(count + past):
        ended = number >= count
        at = came - timedelta(hours=2) if ended else came
        new = new_order(
            id=f"crowd-{number}",
            pickup_time=at + timedelta(minutes=20),
            account=f"account-{number}",
            channel="attack",
            channel_order_id=f"crowd-{number}",
        )
        life = bulk.SimulatedOrder(new, kitchen=kitchen, actor="key:attack", at=at)
        if ended:
            life.move(PICKED_UP, at=at + timedelta(minutes=15), actor="key:attack")
        lives.append(life)
    for first in range(0, len(lives), bulk.BATCH):
        bulk.store(lives[first : first + bulk.BATCH])


async def _page(port: int, path: str, cookie: str = "") -> Answer:
    """What a browser gets, patiently: a stack that has just started on a busy machine may say 503 first."""
    headers = {"Accept": "text/html", "Cookie": cookie, "X-Requested-With": "fetch"}
    for _ in range(TRIES):
        answer = await ask(port, "GET", path, headers)
        if answer.status != 503:
            break
        await asyncio.sleep(1)
    return answer


async def pair(port: int, link: str) -> str:
    """Opens the link as a browser does, and presses its button where there is one; returns the screen's cookie."""
    answer = await _page(port, link)
    if answer.status == 200 and "csrftoken" in answer.cookies:
        token = answer.cookies["csrftoken"]
        headers = {"Cookie": f"csrftoken={token}", "X-CSRFToken": token, "Accept": "text/html"}
        answer = await ask(port, "POST", link, headers)
    if answer.status != 303 or "huuva_screen" not in answer.cookies:
        raise SetupFailed(f"A link pairs no screen: {answer.status}")
    return f"huuva_screen={answer.cookies['huuva_screen']}"


async def stream_of(port: int, cookie: str) -> str:
    """Where a paired wall hears its hints."""
    answer = await _page(port, "/display/board", cookie)
    match = re.search(r'data-stream="([^"]+)"', answer.body.decode())
    if answer.status != 200 or match is None:
        raise SetupFailed(f"A board without a stream: {answer.status}")
    return unescape(match[1])


async def csrf_cookie(port: int) -> str:
    """What the login's page gives to anybody."""
    answer = await _page(port, "/admin/login/")
    if answer.status != 200 or "csrftoken" not in answer.cookies:
        raise SetupFailed(f"The login's page gives no cookie: {answer.status}")
    return answer.cookies["csrftoken"]


def big_static_files() -> list[str]:
    from django.contrib.staticfiles import finders
    from django.templatetags.static import static

    paths = []
    for pattern in STATIC:
        name = next(
            (
                path
                for finder in finders.get_finders()
                for path, _ in finder.list([])
                if Path(path).match(pattern)
            ),
            None,
        )
        if name is None:
            raise SetupFailed(f"No static file {pattern}")
        paths.append(static(name))
    return paths


async def pair_by_code(port: int, enter: Callable[[str], str]) -> str:
    """Pairs a new browser by the code that it shows, as somebody else does; returns what went wrong, or nothing."""
    answer = await ask(port, "GET", "/display/", {"Accept": "text/html"})
    code = re.search(r'aria-label="([A-Z0-9]{6})"', answer.body.decode())
    if code is None:
        return f"no code: {answer.status}"
    if refused := await asyncio.to_thread(enter, code[1]):
        return refused
    cookie = f"huuva_screen_waiting={answer.cookies['huuva_screen_waiting']}"
    status = await ask(port, "GET", "/display/pair/status", {"Cookie": cookie})
    return "" if status.status == 200 else f"the browser that waits got {status.status}"


def enter_code_of(code: str) -> str:
    """What a manager does who reads the code from a new screen; returns why it is refused, or nothing."""
    from django.db import connections

    from kitchen_display.pairing import PairingRefused, enter_code
    from kitchen_display.tests.factories import screen
    from orders.tests.factories import kitchen

    try:
        enter_code(code, screen(f"New {code}", of=kitchen(GOOD)))
    except PairingRefused as refusal:
        return str(refusal)
    finally:
        connections.close_all()
    return ""


class Spool:
    """The folder for temporary files of this run's servers: what they write there, they write because of strangers."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "spool"
        self._folder.mkdir()
        self._folder.chmod(0o1777)
        self._before = 0
        self.most_bytes = 0

    @property
    def environment(self) -> dict[str, str]:
        return {"TMPDIR": str(self._folder)}

    def begin(self) -> None:
        self.most_bytes, self._before = 0, self._folder.stat().st_mtime_ns

    def look(self) -> None:
        size = 0
        for path in self._folder.rglob("*"):
            try:
                size += path.stat().st_size if path.is_file() else 0
            except FileNotFoundError:
                continue
        self.most_bytes = max(self.most_bytes, size)

    @property
    def was_used(self) -> bool:
        """Whether a file came or went since `begin`, however short it was there."""
        return self._folder.stat().st_mtime_ns != self._before


def sources(shared: bool) -> list[str]:
    """Addresses of attackers: others than that of the good client, or the same."""
    return ["127.0.0.1"] if shared else [f"127.0.0.{number}" for number in range(2, 10)]
