import pytest

from kitchen_display.configuration import forget_kitchen_configs


@pytest.fixture(autouse=True)
def nothing_kept():
    """What a process keeps for 3 s belongs to the test before."""
    forget_kitchen_configs()
    yield
    forget_kitchen_configs()
