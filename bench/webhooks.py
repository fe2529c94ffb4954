"""Webhooks: what a burst of changes, all of them sent, costs those who create orders, and what a thousand dead
endpoints cost a live one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from statistics import fmean, median, quantiles
from typing import Any

from bench.caller import Caller
from bench.load import BenchFailed
from bench.measure import CpuClock
from bench.receiver_process import ReceiverProcess
from bench.stack import Stack

BURST_SECONDS = 10
# A move of an order of three items writes four rows of history.
MOVES_PER_SECOND, CHANGES_PER_MOVE = 125, 4
CREATES_PER_SECOND = 40
# Bursts with and without a webhook, in an order that gives neither the later ones: tables and caches grow meanwhile.
TURNS = (False, True, True, False) * 2
DEAD = 1000
DEAD_SECONDS = 30
DEAD_ORDERS_PER_SECOND = 3
DRAIN_SECONDS = 120
GOAL_SLOWER_PERCENT = 10.0
GOAL_DELAY_SECONDS = 2.0
KITCHEN = "hooks"
STEPS = ("PREPARING", "READY", "PICKED_UP")


@dataclass(frozen=True)
class WebhookResult:
    """Latencies of creating orders in ms, without and with a webhook; CPU in ms for each second of the burst."""

    create_p50_without: float
    create_p50_with: float
    create_mean_without: float
    create_mean_with: float
    web_cpu_without: float
    web_cpu_with: float
    changes_per_second: float
    delivered: int
    drained_seconds: float
    dead: int
    live_delay_p50: float
    live_delay_max: float
    live_heard: int

    @property
    def slower_percent(self) -> float:
        return (self.create_p50_with / self.create_p50_without - 1) * 100

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "slower_percent": self.slower_percent}

    def lines(self) -> list[str]:
        return [
            f"webhooks, {self.changes_per_second:.0f} changes/s for {BURST_SECONDS} s: an order is created in "
            f"{self.create_p50_without:.1f} ms (mean {self.create_mean_without:.1f}), "
            f"{self.create_p50_with:.1f} (mean {self.create_mean_with:.1f}) with all of it told: "
            f"{self.slower_percent:+.1f} % (goal ≤ {GOAL_SLOWER_PERCENT:.0f} %)",
            f"web used {self.web_cpu_without:.0f} ms of CPU a second without, {self.web_cpu_with:.0f} with; "
            f"{self.delivered} events had arrived {self.drained_seconds:.1f} s after the bursts",
            f"webhooks, {self.dead} dead endpoints: a live one hears after {self.live_delay_p50:.2f} s, "
            f"{self.live_delay_max:.2f} s at worst of {self.live_heard} (goal ≤ {GOAL_DELAY_SECONDS:.0f} s)",
        ]

    def wrong(self) -> Iterable[str]:
        if self.live_heard == 0:
            yield "webhooks: the live endpoint heard nothing"


class Api(Caller):
    """Calls of one key below `/api`; returns what the answer's JSON holds."""

    def __init__(self, base_url: str, key: str) -> None:
        super().__init__(base_url, {"Authorization": f"Bearer {key}"})

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        _, content, _ = self.call(method, f"/api{path}", body)
        return json.loads(content) if content else None

    def order(self) -> str:
        items = [{"plu": f"P{n}", "name": f"Dish {n}", "quantity": 1} for n in range(3)]
        body = {
            "account": "bench",
            "brandId": "bench",
            "channelOrderId": "bench",
            "customer": {"name": "Ada", "phoneNumber": ""},
            "pickupTime": "2099-01-01T12:00:00Z",
            "items": items,
        }
        return str(self("POST", "/orders", body)["id"])


def measure_webhooks(stack: Stack) -> WebhookResult:
    """Raises BenchFailed."""
    stack.create_kitchen(KITCHEN)
    api = Api(stack.base_url, stack.create_key("bench-hooks", 0, "--kitchen", KITCHEN))
    with ReceiverProcess() as receiver:
        hook = api("POST", "/webhooks", _hook(receiver.url("/live")))
        times: dict[bool, list[float]] = {False: [], True: []}
        cpu: dict[bool, list[float]] = {False: [], True: []}
        rates = []
        drained = 0.0
        for with_webhook in TURNS:
            api("PATCH", f"/webhooks/{hook['id']}", {"enabled": with_webhook})
            orders = _orders(api, MOVES_PER_SECOND * BURST_SECONDS // len(STEPS) + 1)
            _wait_for_silence(receiver)
            clock = CpuClock(lambda: [*stack.web()])
            latencies, rate = _burst(api, orders)
            times[with_webhook] += latencies
            rates.append(rate)
            cpu[with_webhook].append(clock.used() * 1000 / BURST_SECONDS)
            if with_webhook:
                drained = max(drained, _wait_for_silence(receiver))
        delivered = receiver.count()
        api("DELETE", f"/webhooks/{hook['id']}")
    delays = _among_the_dead(stack, api)
    return WebhookResult(
        create_p50_without=median(times[False]),
        create_p50_with=median(times[True]),
        create_mean_without=fmean(times[False]),
        create_mean_with=fmean(times[True]),
        web_cpu_without=median(cpu[False]),
        web_cpu_with=median(cpu[True]),
        changes_per_second=fmean(rates),
        delivered=delivered,
        drained_seconds=drained,
        dead=DEAD,
        live_delay_p50=quantiles(delays, n=2)[0] if len(delays) > 1 else 0.0,
        live_delay_max=max(delays, default=0.0),
        live_heard=len(delays),
    )


def _hook(url: str) -> dict[str, Any]:
    events = ["order.created", "order.status_changed", "item.status_changed"]
    return {"name": "bench", "url": url, "events": events}


def _orders(api: Api, number: int) -> list[str]:
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda _: api.order(), range(number)))


def _burst(api: Api, orders: list[str]) -> tuple[list[float], float]:
    """Milliseconds that each creation took while the orders were moved, and changes a second that were really made."""
    moves = [(order, step) for step in STEPS for order in orders][: MOVES_PER_SECOND * BURST_SECONDS]
    began = time.monotonic()
    times: list[float] = []

    def create() -> None:
        before = time.perf_counter()
        api.order()
        times.append((time.perf_counter() - before) * 1000)

    def move(order: str, step: str) -> None:
        api("PATCH", f"/orders/{order}", {"status": step})

    jobs = [(n / CREATES_PER_SECOND, create) for n in range(CREATES_PER_SECOND * BURST_SECONDS)]
    with ThreadPoolExecutor(2) as creators, ThreadPoolExecutor(6) as movers:
        work = [creators.submit(_paced, began, jobs[n::2]) for n in range(2)]
        paced = [
            (n / MOVES_PER_SECOND, lambda order=order, step=step: move(order, step))
            for n, (order, step) in enumerate(moves)
        ]
        work += [movers.submit(_paced, began, paced[n::6]) for n in range(6)]
        for one in work:
            one.result()
    return times, len(moves) * CHANGES_PER_MOVE / (time.monotonic() - began)


def _paced(began: float, jobs: Iterable[tuple[float, Callable[[], object]]]) -> None:
    """Each job at its time, or at once where it has passed."""
    for at, job in jobs:
        wait = began + at - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        job()


def _wait_for_silence(receiver: ReceiverProcess) -> float:
    """Until nothing has been heard for 2 s; returns how long the last came after now."""
    began = last = time.monotonic()
    count = receiver.count()
    while time.monotonic() - last < 2:
        if time.monotonic() - began > DRAIN_SECONDS:
            raise BenchFailed("webhooks: deliveries did not come to an end")
        time.sleep(0.05)
        now_count = receiver.count()
        if now_count != count:
            count, last = now_count, time.monotonic()
    return last - began


def _among_the_dead(stack: Stack, api: Api) -> list[float]:
    """Seconds from the commit of each order until a live endpoint had it, beside DEAD others that don't answer."""

    with ReceiverProcess() as dead, ReceiverProcess() as live:
        api("POST", "/webhooks", _hook(live.url("/live")))
        stack.manage(
            "shell",
            "--no-imports",
            "-c",
            "from integrations.models import WebhookEndpoint as W; from integrations.webhooks import endpoints as e\n"
            f"urls = ['{dead.url('/hang')}', '{dead.url('/fail')}', 'http://127.0.0.1:9/']\n"
            f"for n in range({DEAD}):\n"
            f" e.create(W(name=f'dead {{n}}', kitchen_id='{KITCHEN}', url=urls[n % 3], events=['order.created']))",
        )
        began = time.monotonic()
        jobs = [(n / DEAD_ORDERS_PER_SECOND, api.order) for n in range(DEAD_SECONDS * DEAD_ORDERS_PER_SECOND)]
        _paced(began, jobs)
        _wait_for_silence(live)
        return live.delays()
