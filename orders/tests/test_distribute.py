"""manage.py distribute: what it asks of Citus. A real cluster is tried by running the tests on one (docs/scaling.md)."""

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection

from orders import cluster as citus
from orders.management.commands import distribute

pytestmark = pytest.mark.django_db
# What Citus brings, as far as the command asks for it; the functions note what they are asked.
STAND_INS = """
    CREATE TABLE pg_dist_node (groupid int, isactive bool, shouldhaveshards bool, noderole text);
    INSERT INTO pg_dist_node VALUES (0, true, false, 'primary'), (1, true, true, 'primary');
    CREATE TABLE pg_dist_local_group (groupid int);
    INSERT INTO pg_dist_local_group VALUES (0);
    CREATE TABLE pg_dist_partition (logicalrelid regclass, partmethod "char", repmodel "char");
    CREATE TABLE asked (place serial, what text);
    CREATE FUNCTION create_reference_table(name text) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO pg_dist_partition VALUES (name, 'n', 't');
        INSERT INTO asked (what) VALUES ('copy ' || name);
    END $$;
    CREATE FUNCTION create_distributed_table(name text, by text, colocate_with text, shard_count int DEFAULT 0)
    RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT FROM pg_constraint WHERE contype = 'f' AND name::regclass IN (conrelid, confrelid)) THEN
            RAISE 'a foreign key of % would not let it go', name;
        END IF;
        INSERT INTO pg_dist_partition VALUES (name, 'h', 'c');
        INSERT INTO asked (what) VALUES (concat_ws(' ', 'spread', name, by, colocate_with, shard_count));
    END $$;
    CREATE FUNCTION truncate_local_data_after_distributing_table(name text) RETURNS void LANGUAGE sql AS
        $$INSERT INTO asked (what) VALUES ('empty ' || name)$$;
"""
KEYS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' ORDER BY 1, 2
"""


def rows(sql: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def told(*words: str) -> str:
    out = StringIO()
    call_command("distribute", *words, stdout=out)
    return out.getvalue()


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    if citus.has_citus():
        pytest.skip("the tables of this server are spread already")
    monkeypatch.setattr(distribute, "has_citus", lambda: True)
    with connection.cursor() as cursor:
        cursor.execute(STAND_INS)


def test_without_the_extension_nothing_happens() -> None:
    if citus.has_citus():
        pytest.skip("this server has the extension")
    before = rows(KEYS)

    assert told("--yes") == "This PostgreSQL has no extension citus: all tables stay as they are.\n"
    assert rows(KEYS) == before


def test_it_says_first_what_it_will_do(cluster: None, monkeypatch: pytest.MonkeyPatch) -> None:
    before = rows(KEYS)
    text = told("--dry-run")

    assert "- copy orders_kitchen to every worker\n" in text
    assert "- spread orders_order by id over 32 parts\n" in text
    assert "- spread orders_statuschange by order_id, beside orders_order\n" in text
    assert text.endswith("nothing was done.\n")
    monkeypatch.setattr("builtins.input", lambda question: "n")
    with pytest.raises(CommandError, match=r"Nothing was done\."):
        told()
    assert (rows("SELECT * FROM asked"), rows(KEYS)) == ([], before)


def test_kitchens_go_to_all_and_orders_with_all_that_hangs_on_them_to_one(cluster: None) -> None:
    before = rows(KEYS)

    assert told("--yes", "--shards", "64").endswith("Done.\n")
    assert [what for (what,) in rows("SELECT what FROM asked ORDER BY place")] == [
        "copy orders_kitchen",
        "spread orders_order id none 64",
        "empty orders_order",
        "spread orders_orderitem order_id orders_order 0",
        "empty orders_orderitem",
        "spread orders_statuschange order_id orders_order 0",
        "empty orders_statuschange",
        "spread orders_amendment order_id orders_order 0",
        "empty orders_amendment",
    ]
    assert rows(KEYS) == before, "each foreign key is back as it was"


def test_a_second_time_there_is_nothing_to_do(cluster: None) -> None:
    told("--yes")
    rows_before = rows("SELECT * FROM asked")

    assert told("--yes") == "All is spread already.\n"
    assert rows("SELECT * FROM asked") == rows_before


def test_a_table_that_a_later_release_adds_is_spread_beside_the_others(cluster: None) -> None:
    told("--yes")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM pg_dist_partition WHERE logicalrelid = 'orders_amendment'::regclass")
        cursor.execute("TRUNCATE asked")

    assert told("--yes").endswith("Done.\n")
    assert [what for (what,) in rows("SELECT what FROM asked ORDER BY place")] == [
        "spread orders_amendment order_id orders_order 0",
        "empty orders_amendment",
    ]


def test_counters_that_begin_anew_go_on_behind_the_highest_number(cluster: None) -> None:
    anna = User.objects.create_user("anna")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE auth_user ALTER id RESTART")

    assert "- auth_user.id counts on behind the highest number\n" in told("--yes")
    assert User.objects.create_user("bert").pk == anna.pk + 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("DELETE FROM pg_dist_node WHERE groupid = 0", "citus_set_coordinator_host"),
        ("DELETE FROM pg_dist_node WHERE groupid = 1", "citus_add_node"),
        ("UPDATE pg_dist_local_group SET groupid = 1", "DATABASE_URL must name the coordinator"),
    ],
)
def test_a_cluster_that_is_not_ready_is_refused_with_the_remedy(
    cluster: None, change: str, reason: str
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(change)
    with pytest.raises(CommandError, match=reason):
        told("--yes")


@pytest.mark.parametrize("shards", ["0", "10001"])
def test_a_senseless_number_of_parts_is_refused(shards: str) -> None:
    with pytest.raises(CommandError, match="--shards"):
        told("--shards", shards)
