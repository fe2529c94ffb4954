"""Processes of one web part count in one folder, and folders of parts that have ended go."""

import os
from pathlib import Path

import psutil

from core.metrics_folder import shared_folder


def test_siblings_share_a_folder_though_the_clock_is_set_between_starts(tmp_path: Path) -> None:
    """When a process began is reckoned from the time of day: a second of correction is no other process."""
    parent = psutil.Process(os.getppid())
    earlier = tmp_path / "run" / "metrics" / f"{parent.pid}-{parent.create_time() - 1:.0f}"
    earlier.mkdir(parents=True)
    (earlier / "histogram_1.db").touch()

    assert shared_folder(tmp_path) == earlier
    assert [path.name for path in earlier.iterdir()] == ["histogram_1.db"]


def test_folders_of_parts_that_have_ended_go(tmp_path: Path) -> None:
    parent = psutil.Process(os.getppid())
    folder = tmp_path / "run" / "metrics"
    for name in (f"{parent.pid}-{parent.create_time() - 3600:.0f}", "999999999-1", "nonsense"):
        (folder / name).mkdir(parents=True)

    ours = shared_folder(tmp_path)

    assert list(folder.iterdir()) == [ours]
