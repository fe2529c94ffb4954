"""Attackers who send whole requests, and too many of them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from urllib.parse import urlencode

from tests.attack.stalling import FORM, JSON
from tests.attack.tally import Site, Tally
from tests.attack.wire import Closed, Wire, request

SCREENS = 1000
BOARDS = 300
LOGINS = 2000
FLOOD = 3000

type Ask = Callable[[int], bytes]


async def _clients(site: Site, tally: Tally, clients: int, most: int, ask: Ask, target: str) -> None:
    """So many clients, each sending its next request when it has its answer, until all of `most` were sent."""
    numbers = iter(range(most))
    async with asyncio.TaskGroup() as tasks:
        for client in range(clients):
            tasks.create_task(_client(site, tally, client, numbers, ask, target))


async def _client(
    site: Site, tally: Tally, client: int, numbers: Iterator[int], ask: Ask, target: str
) -> None:
    wire: Wire | None = None
    for number in numbers:
        if site.left < 0.2:
            break
        try:
            async with asyncio.timeout(site.left):
                if wire is None:
                    wire = await Wire.open(site.port, site.source(client))
                    tally.opened += 1
                await wire.send(ask(number))
                answer = await wire.answer()
            tally.got(answer.status, target)
            if answer.headers.get("connection") == "close":
                raise Closed
        except TimeoutError:
            tally.got("unanswered", target)
            break
        except OSError as error:
            if wire is None:
                tally.got("refused", target)
            elif not isinstance(error, Closed) or error.args:
                tally.got("closed", target)
            if wire is not None:
                wire.close()
                wire = None
    if wire is not None:
        wire.close()


async def logins(site: Site, tally: Tally) -> None:
    """Each attempt has a name that nobody has used before."""
    cookie = {"Cookie": f"csrftoken={site.csrf}"}
    run = random.randrange(10**9)

    def ask(number: int) -> bytes:
        fields = {
            "username": f"stranger-{run}-{number}",
            "password": "wrong",
            "csrfmiddlewaretoken": site.csrf,
        }
        return request("POST", "/admin/login/", FORM | cookie, urlencode(fields).encode())

    await _clients(site, tally, 4 if site.short else 24, 40 if site.short else LOGINS, ask, "login")


async def pairing(site: Site, tally: Tally) -> None:
    """Browsers that would all like to be a screen, none with a cookie."""

    def ask(number: int) -> bytes:
        return request("GET", "/display/", {"Accept": "text/html"})

    await _clients(site, tally, 8, SCREENS, ask, "display")


async def wrong_keys(site: Site, tally: Tally) -> None:
    def ask(number: int) -> bytes:
        key = {"Authorization": f"Bearer huuva_{number:012x}_{'0' * 40}"}
        return (
            request("POST", "/api/orders", JSON | key, b"{}")
            if number % 2
            else request("GET", "/api/orders", key)
        )

    await _clients(site, tally, 16, 200 if site.short else FLOOD, ask, "orders")


async def not_found(site: Site, tally: Tally) -> None:
    def ask(number: int) -> bytes:
        return request("GET", f"{('/nothing', '/api/nothing', '/admin/nothing')[number % 3]}/{number}")

    await _clients(site, tally, 16, 200 if site.short else FLOOD, ask, "nothing")


async def boards(site: Site, tally: Tally) -> None:
    """A paired screen asks for its board, and is gone before it comes: half in order, half by a reset."""
    ask = request("GET", "/display/board", {"Cookie": site.screen, "X-Requested-With": "fetch"})
    sent = asyncio.Semaphore(50)

    async def abandon(number: int) -> None:
        async with sent:
            try:
                wire = await Wire.open(site.port, site.source(number))
                await wire.send(ask)
            except (OSError, TimeoutError):
                tally.got("refused", "board")
                return
            tally.opened += 1
            tally.got("abandoned", "board")
            if number % 2:
                wire.reset()
            else:
                wire.close()

    await asyncio.gather(*map(abandon, range(60 if site.short else BOARDS)))
    # The server is working on the answers now, though nobody waits for them.
    await asyncio.sleep(site.left)
