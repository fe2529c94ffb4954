"""Servers for the tests: the embedded ones in a home of this run's own, or those of DATABASE_URL and REDIS_URL."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import django
import pytest

from tests import planted
from tests.home import make_home, remove_home, remove_leftovers
from tests.live_stack import LiveStack
from tests.parallel import GroupScheduling, distributes, processes, put_groups_first

# One of several processes that share the tests, see tests/parallel.py.
IS_XDIST_WORKER = "PYTEST_XDIST_WORKER" in os.environ

if "huuva.settings" in sys.modules or os.environ.get("DJANGO_SETTINGS_MODULE"):
    raise pytest.UsageError("Unset DJANGO_SETTINGS_MODULE: the tests choose their own HUUVA_HOME first.")
if not IS_XDIST_WORKER:
    remove_leftovers()
os.environ["HUUVA_HOME"] = str(make_home())
os.environ["DJANGO_SETTINGS_MODULE"] = "huuva.settings"

# Before other conftest files, which may import models.
django.setup()

from django.apps import apps  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import translation  # noqa: E402

from huuva import settings  # noqa: E402
from huuva.ops import embedded  # noqa: E402
from huuva.roles import make_roles  # noqa: E402
from tests import cluster  # noqa: E402

HOME = Path(os.environ["HUUVA_HOME"])
WANTED = embedded.wanted(settings)
_running = ExitStack()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--parallel",
        action="store_true",
        help="Share the tests among processes, each with servers of its own, where nothing speaks against it.",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    if IS_XDIST_WORKER or not config.pluginmanager.hasplugin("xdist"):
        return
    option = config.option
    if all(WANTED.values()):
        if option.parallel and option.numprocesses is None and not (option.usepdb or option.collectonly):
            option.numprocesses = processes()
            if option.numprocesses == 1:
                option.numprocesses = 0
    elif option.numprocesses or option.tx:
        # The change feed reads below the oldest transaction of the whole server.
        raise pytest.UsageError(
            "On a server of DATABASE_URL or REDIS_URL the tests run one after the other: leave out -n, or say -n 0. "
            "An open transaction of one process would hold up what another reads from the change feed."
        )


def pytest_report_header(config: pytest.Config) -> str | None:
    if config.option.parallel and not all(WANTED.values()):
        return "one process, because DATABASE_URL or REDIS_URL names a server that others would share"
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if distributes(config):
        # The processes that this one starts have their own, and choose their homes before they read the settings.
        del os.environ["DJANGO_SETTINGS_MODULE"]
        return
    if config.option.collectonly:
        return
    # Nothing here must survive a crash of the machine, so nothing waits for the disk.
    _running.enter_context(embedded.services(HOME, **WANTED, durable=False))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test during which customers' data or secrets were logged has failed."""
    report = yield
    logged = (text for name, text in report.sections if name == f"Captured stderr {report.when}")
    hits = [each for text in logged for each in planted.found_in(text, "stderr")]
    if hits and report.passed:
        report.outcome = "failed"
        report.longrepr = planted.complaint(hits[: planted.MOST])
    return report


_written = pytest.StashKey[list[str]]()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """After the last test each process searches the logs of the servers that ran in its home, and of those that tests
    have started in folders of their own."""
    config = session.config
    hits = config.stash.setdefault(_written, [])
    if not distributes(config):
        factory = getattr(config, "_tmp_path_factory", None)
        of_tests = getattr(factory, "_basetemp", None)  # none where no test has asked for a folder
        hits += planted.found_in_files([HOME, *([of_tests] if of_tests else [])])
    if hits and IS_XDIST_WORKER:
        config.workeroutput["planted"] = hits  # type: ignore[attr-defined]
    elif hits and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash.setdefault(_written, []).extend(getattr(node, "workeroutput", {}).get("planted", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if hits := config.stash.get(_written, []):
        terminalreporter.section("written where it does not belong", red=True)
        terminalreporter.write_line(planted.complaint(hits))


def pytest_unconfigure(config: pytest.Config) -> None:
    _running.close()
    remove_home(HOME)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    return GroupScheduling(config, log) if config.option.dist == "load" else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if IS_XDIST_WORKER:
        put_groups_first(items)


@pytest.fixture(scope="session")
def cluster_nodes() -> list[tuple[str, int]]:
    """The workers of the cluster that the tests run on; none on one server."""
    return cluster.workers(settings.DATABASE_URL)


@pytest.fixture(autouse=True)
def _no_language_of_an_earlier_page() -> None:
    """A page leaves its language to the thread, which in tests is everybody's."""
    translation.deactivate()


class MigrationApps:
    """What a migration gives of the apps; their permissions are there already."""

    get_model = staticmethod(apps.get_model)

    @staticmethod
    def get_app_configs() -> list[object]:
        return []


@pytest.fixture
def roles(db: None) -> Callable[[], None]:
    """The groups that a migration makes: tests that empty the database take them away. Returns what makes them."""
    make_roles(MigrationApps)
    return partial(make_roles, MigrationApps)


@pytest.fixture(autouse=True)
def _one_server(request: pytest.FixtureRequest) -> None:
    marker = request.node.get_closest_marker("one_server")
    if marker is not None and request.getfixturevalue("cluster_nodes"):
        pytest.skip(f"on a cluster: {marker.args[0]}")


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None, django_db_blocker: Any, cluster_nodes: list[tuple[str, int]]
) -> Iterator[None]:
    """On the coordinator of a Citus cluster the tests' tables are spread over its workers."""
    _let_flushes_pass_the_guard()
    nodes = cluster_nodes
    if not nodes:
        yield
        return
    with django_db_blocker.unblock():
        cluster.drop(connection, nodes)
        cluster.spread(connection, nodes)
    yield
    with django_db_blocker.unblock():
        connection.close()
        cluster.drop(connection, nodes)


def _let_flushes_pass_the_guard() -> None:
    """Tests with transactions of their own end with a TRUNCATE, which the history refuses: they say so first."""
    flush = connection.ops.execute_sql_flush

    def flush_history_too(sql_list: list[str]) -> None:
        flush(["SET LOCAL huuva.retention = 'on'", *sql_list])

    connection.ops.execute_sql_flush = flush_history_too


@pytest.fixture(scope="session")
def live_stack() -> Iterator[LiveStack]:
    """A running web part with a database of its own."""
    stack = LiveStack(HOME, settings.DATABASE_URL, other_database(settings.REDIS_URL))
    try:
        stack.start()
        yield stack
        if hits := planted.found_in_answers(stack):
            pytest.fail(planted.complaint(hits), pytrace=False)
    finally:
        stack.stop()


def other_database(redis_url: str) -> str:
    """The same server's last but one database, or for parallel runs one more for each before it."""
    number = 14 - int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    parts = urlsplit(redis_url)
    query = parse_qs(parts.query)
    if parts.scheme == "unix":
        query["db"] = [str(number)]
        # Not by urlunsplit, which makes unix:/… of unix:///…
        return f"unix://{parts.path}?{urlencode(query, doseq=True)}"
    return urlunsplit(parts._replace(path=f"/{number}"))
