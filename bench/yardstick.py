"""What PostgreSQL alone does: the same rows in one transaction, by pgbench, on the server that the stack uses."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg

from bench.load import CONNECTIONS, ROOT, BenchFailed
from bench.measure import Result, make_orders
from core.addresses import DATABASE, database_url, postgres_folder, socket_folder
from huuva.ops.embedded.postgres import programs

KITCHEN = "yardstick"
ORDERS = 5000  # the scripts know it, too
SCRIPTS = ROOT / "bench" / "alone"
WORKLOADS = ("create", "get", "patch_order", "patch_item")
RATE = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)


@dataclass(frozen=True)
class YardstickResult:
    """Transactions a second of PostgreSQL alone, by workload; and what web made of it in the same run."""

    clients: int
    per_second: dict[str, float]
    web_per_second: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": {name: round(self.ratio(name), 3) for name in self.web_per_second}}

    def ratio(self, name: str) -> float:
        return self.web_per_second[name] / self.per_second[name]

    def lines(self) -> Iterable[str]:
        for name, rate in self.per_second.items():
            ours = self.web_per_second.get(name)
            comparison = "" if ours is None else f"; web makes {ours:,.0f}/s of it: {self.ratio(name):.0%}"
            yield f"PostgreSQL alone, {name}, {self.clients} clients: {rate:,.0f}/s{comparison}"

    def wrong(self) -> Iterable[str]:
        return ()


def measure_yardstick(stack_home: Path, seconds: int, results: Sequence[Result]) -> YardstickResult:
    """Drives the database of the stack in that home. It must have the kitchen KITCHEN. Raises BenchFailed."""
    with psycopg.connect(database_url(stack_home), autocommit=True) as connection:
        make_orders(connection, "yard", ORDERS, KITCHEN)
        connection.execute("VACUUM ANALYZE orders_order, orders_orderitem, orders_statuschange")
    rates = {name: _pgbench(stack_home, SCRIPTS / f"{name}.sql", seconds) for name in WORKLOADS}
    ours = {
        result.workload: result.load.per_second
        for result in results
        if result.limited and result.clients == CONNECTIONS
    }
    return YardstickResult(CONNECTIONS, rates, {name: ours[name] for name in rates if name in ours})


def _pgbench(home: Path, script: Path, seconds: int) -> float:
    host = str(socket_folder(home, postgres_folder(home)))
    command = [str(programs() / "pgbench"), "-h", host, "-U", DATABASE, "-n", "-M", "prepared"]
    command += ["-c", str(CONNECTIONS), "-j", "2", "-T", str(seconds), "-f", str(script), DATABASE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    match = RATE.search(done.stdout)
    if done.returncode or match is None:
        raise BenchFailed(f"pgbench with {script.name} failed:\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
    return round(float(match[1]), 1)
