"""A short rush against a running web server; afterwards its records are consistent."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from core.env import PROJECT_ROOT, ConfigError
from huuva.ops.simulation.kitchen import furnish, simulation_key
from huuva.ops.simulation.player import Player
from huuva.ops.simulation.progress import Progress
from huuva.ops.simulation.rush import Planned, plan_rush
from huuva.ops.start.demo import demo_options
from integrations.models import ApiKey
from kitchen_display.configuration import read_kitchen_config
from orders.models import Brand, Kitchen

SCOPES = ("orders:read", "orders:write", "orders:recall")


def play(live_stack: Any, key: str, run: str, minutes: float = 20) -> tuple[list[Planned], Player]:
    plan = plan_rush(seed=5, rate=3, minutes=minutes)
    player = Player(plan, live_stack.base_url, key, speed=600, run=run, kitchen="main")
    player.play(lambda second: None)
    return plan, player


def differences(live_stack: Any) -> Any:
    output = live_stack.manage(
        "shell",
        "--no-imports",
        "--command",
        "import json\nfrom orders.consistency import differences\nprint(json.dumps(differences()))",
    )
    return json.loads(output)


def test_after_a_rush_the_books_balance(live_stack: Any) -> None:
    key = live_stack.issue_key(SCOPES, rate_limit=0, name="rush")
    plan, player = play(live_stack, key, "books")
    tally = player.tally
    assert (tally.errors, tally.refusals, tally.unanswered, tally.retries) == ([], {}, 0, 0)
    assert len(tally.order_ids) == len(plan) > 30
    assert tally.moves == sum(len(order.steps) for order in plan)
    with psycopg.connect(live_stack.database_url) as connection:
        rows = connection.execute("SELECT id, status FROM orders_order WHERE id LIKE 'books-%'").fetchall()
    expected = {f"books-{order.number:05}": order.steps[-1].status if order.steps else 1 for order in plan}
    assert dict(rows) == expected
    assert differences(live_stack) == []
    # The same once more: moves are answered from what was stored, orders that were sent otherwise are refused.
    _, again = play(live_stack, key, "books")
    assert again.tally.refusals == {"idempotency_mismatch": len(plan)}
    assert (again.tally.errors, again.tally.moves) == ([], tally.moves)
    with psycopg.connect(live_stack.database_url) as connection:
        count = connection.execute("SELECT count(*) FROM orders_order WHERE id LIKE 'books-%'").fetchone()
    assert count == (len(plan),)


def test_a_key_without_a_right_is_refused_and_counted(live_stack: Any) -> None:
    reader = live_stack.issue_key(("orders:read",), rate_limit=0)
    plan, player = play(live_stack, reader, "reader", minutes=2)
    assert player.tally.order_ids == set()
    calls = len(plan) + sum(len(order.steps) for order in plan)
    assert player.tally.refusals == {"missing_scope": calls}
    assert f"{calls} refusals (missing_scope {calls})" in player.tally.summary()


def test_the_command_says_in_one_line_what_it_did(live_stack: Any) -> None:
    done = simulate(live_stack, "--rate", "2", "--minutes", "5", "--speed", "600", "--seed", "1")
    assert done.returncode == 0, done.stderr
    line = done.stdout.strip()
    assert line.startswith("Simulated in ") and line.count("\n") == 0
    assert f"{len(plan_rush(1, 2, 5))} orders" in line and "0 refusals, 0 errors" in line
    assert "--seed 1 repeats it" in done.stderr


def test_a_stop_is_clean(live_stack: Any) -> None:
    process = subprocess.Popen(
        command(live_stack, "--rate", "600", "--seed", "2"),
        cwd=PROJECT_ROOT,
        env=live_stack.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline().startswith("Simulating 60 minutes at ")
    process.terminate()
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert output.startswith("Simulated in ") and "0 errors" in output
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (("--speed", "0"), "argument --speed: must be a number above 0 and at most 10,000, not '0'"),
        (("--url", "http://127.0.0.1:1"), "--url needs --key"),
        (("--kitchen", "nowhere"), "Unknown kitchen: nowhere."),
        (("--key", "huuva_nobody_0123456789abcdef0123"), "answers 401"),
        (("--url", "127.0.0.1:8000", "--key", "x"), "The address must be like http://127.0.0.1:8000"),
    ],
)
def test_what_cannot_work_is_one_sentence(live_stack: Any, arguments: tuple[str, ...], sentence: str) -> None:
    done = simulate(live_stack, *arguments)
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def command(live_stack: Any, *arguments: str) -> list[str]:
    return [sys.executable, "manage.py", "simulate", *arguments]


def simulate(live_stack: Any, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(live_stack, *arguments),
        cwd=PROJECT_ROOT,
        env=live_stack.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.django_db
def test_a_kitchen_without_stations_is_furnished_and_others_are_left(tmp_path: Path) -> None:
    kitchen = Kitchen.objects.create(slug="main", name="Main")
    Brand.objects.create(id="burger-house", name="As the manager calls it")
    furnish(kitchen)
    furnish(kitchen)
    assert set(kitchen.stations.values_list("slug", flat=True)) == {"grill", "sushi"}
    config = read_kitchen_config("main")
    (grill,) = config.stations_of("GRILL-CLASSIC")
    assert config.stations[grill][0] == "grill"
    assert config.stations_of("DRINK-COLA") == frozenset()
    assert Brand.objects.get(id="burger-house").name == "As the manager calls it"
    other = Kitchen.objects.create(slug="other", name="Other")
    other.stations.create(slug="wok", name="Wok")
    furnish(other)
    assert list(other.stations.values_list("slug", flat=True)) == ["wok"]
    assert simulation_key(tmp_path) == simulation_key(tmp_path)
    assert ApiKey.objects.get().rate_limit == 0


def test_progress_is_a_line_each_tenth_where_there_is_no_terminal() -> None:
    out = io.StringIO()
    progress = Progress(600, out)
    for second in range(0, 601, 5):
        progress.show(second, "1 orders")
    progress.close()
    lines = out.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[-1] == "minute 10 of 10: 1 orders"


def test_the_demo_refuses_wrong_options_before_it_starts(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo_options([]) is None
    assert demo_options(["--demo", "--speed", "10"]) == ["--speed", "10"]
    with pytest.raises(ConfigError, match="takes --demo"):
        demo_options(["--fast"])
    with pytest.raises(SystemExit):
        demo_options(["--demo", "--rate", "many"])
    assert "--rate: must be a number" in capsys.readouterr().err
