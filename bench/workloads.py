"""What is measured, and the goals it is held against (requests a second; CPU milliseconds of web per request)."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Workload:
    name: str  # also the name of its Lua script
    title: str
    goal_per_second: int
    goal_cpu_ms: float
    needs_orders: bool = True  # made beforehand
    moves_per_order: int = 0  # real moves that one prepared order has in it; 0: orders aren't used up
    warm_up: int = 500  # requests before anything counts: imports, plans and connections are warm then

    def orders_for(self, seconds: float) -> int:
        """How many orders to prepare, so that twice the goal doesn't use them up in that time."""
        if not self.needs_orders:
            return 0
        if not self.moves_per_order:
            return 500
        return math.ceil(2 * self.goal_per_second * seconds / self.moves_per_order)


# Goals: two to five times what a FastAPI + SQLAlchemy implementation of the same API did on two shared cores.
WORKLOADS = (
    Workload("create", "create, 3 items", 668, 2.2, needs_orders=False),
    Workload("get", "get", 1272, 1.3),
    Workload("patch_order", "PATCH order (3 items follow)", 500, 3.5, moves_per_order=3),
    Workload("patch_item", "PATCH item", 732, 2.3, moves_per_order=9),
    Workload("list", "list of 20", 570, 3.0),
    Workload("analytics", "analytics, four reports in turn", 2445, 0.7),
    # The warm-up is as long as a rush needs to reach its steady mix of calls.
    Workload("rush", "dinner rush (11 calls an order)", 681, 2.5, needs_orders=False, warm_up=1400),
)
GOAL_SECOND_START_SECONDS = 5.0
