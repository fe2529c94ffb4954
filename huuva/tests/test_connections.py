import threading

import pytest
from django.db import connection


@pytest.mark.django_db(transaction=True)
def test_a_threads_connection_ends_with_it() -> None:
    pids: list[int] = []

    def work() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pids.append(cursor.fetchone()[0])

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    with connection.cursor() as cursor:
        for _ in range(100):  # The server notices a closed socket in its own time.
            cursor.execute(
                "SELECT pg_stat_clear_snapshot(), count(*) FROM pg_stat_activity WHERE pid = %s", pids
            )
            if cursor.fetchone()[1] == 0:
                return
            cursor.execute("SELECT pg_sleep(0.02)")
    pytest.fail("the connection is still open")
