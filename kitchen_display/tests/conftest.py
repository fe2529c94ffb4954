import pytest

from kitchen_display.configuration import forget_kitchen_configs


@pytest.fixture(autouse=True)
def empty_caches():
    """What a process caches for 3 s belongs to the test before."""
    forget_kitchen_configs()
    yield
    forget_kitchen_configs()
