"""What is measured, and the goals it is held against (requests a second; CPU milliseconds of web per request)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Workload:
    name: str  # also the name of its Lua script
    title: str
    goal_per_second: int
    goal_cpu_ms: float
    prepared: float = 0.0  # seconds of creating orders beforehand, as a share of the measured seconds
    moves_per_order: int = 0  # real moves that one prepared order has in it; 0: orders aren't used up


# Goals: two to five times what a FastAPI + SQLAlchemy implementation of the same API did on two shared cores.
WORKLOADS = (
    Workload("create", "create, 3 items", 668, 2.2),
    Workload("get", "get", 1272, 1.3, prepared=0.2),
    Workload("patch_order", "PATCH order (3 items follow)", 500, 3.5, prepared=0.8, moves_per_order=3),
    Workload("patch_item", "PATCH item", 732, 2.3, prepared=0.4, moves_per_order=9),
    Workload("list", "list of 20", 570, 3.0, prepared=0.2),
    Workload("rush", "dinner rush (11 calls an order)", 681, 2.5),
)
GOAL_SECOND_START_SECONDS = 5.0
