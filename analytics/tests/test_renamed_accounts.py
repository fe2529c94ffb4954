"""An erased account's figures continue under its new name, whether they were counted before or after."""

import pytest

from analytics.models import Customer
from analytics.refresh import refresh
from analytics.reports import progress
from analytics.tests.consistency import assert_equal_to_plain_sql
from orders.privacy import erase_account
from orders.services import move_order
from orders.statuses import PICKED_UP
from orders.tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("counted", [0, 1, 2])
def test_figures_follow_an_erased_account(counted: int) -> None:
    for number in range(2):
        order = factories.order(None, account="acc-1")
        move_order(order.id, PICKED_UP, actor="user:anna")
        if number < counted:
            refresh()
    factories.order(None, account="acc-2")

    erased = erase_account("acc-1")

    refresh()
    assert_equal_to_plain_sql()
    assert set(Customer.objects.filter(kitchen="", brand="").values_list("account", "orders")) == {
        (erased.account, 2),
        ("acc-2", 1),
    }


def test_no_cached_answer_names_an_erased_account() -> None:
    """Without new orders the position in the feed stays, and yet no answer may have the old name."""
    order = factories.order(None, account="acc-1")
    move_order(order.id, PICKED_UP, actor="user:anna")
    refresh()
    place, _at = progress()

    erase_account("acc-1")

    assert progress()[0] != place
