"""A disk of the database's own that can be made full, without any harm to other disks of the machine."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import subprocess
import threading
from pathlib import Path
from typing import Protocol

from huuva.ops.embedded.places import account_for
from huuva.ops.embedded.process import as_account, find

MS_REC, MS_PRIVATE = 1 << 14, 1 << 18
TMPFS_MIB = 384
CHUNK = b"\0" * (1 << 20)
AGAIN_SECONDS = 0.1


class Disk(Protocol):
    """`how` says in a few words what stands in for a full disk."""

    how: str

    def fill(self) -> None: ...

    def free(self) -> None: ...


def own_disk(folder: Path, *, mount: bool = True) -> Disk:
    """A small file system under `folder`, which is made; where that needs rights that we lack, a limit on file sizes.

    Call it before there are threads. The mount is in a namespace of this process: it ends with it, whatever happens.
    """
    reason = "it was asked for" if not mount else _mount(folder)
    if reason:
        return SizeLimit(folder, reason)
    return SmallDisk(folder)


def _mount(folder: Path) -> str:
    """Mounts a tmpfs there; returns why it can't be done, or nothing."""
    uid, gid = os.geteuid(), os.getegid()
    try:
        if uid == 0:
            os.unshare(os.CLONE_NEWNS)
        else:
            # As ourselves in a user namespace: until the next exec this process may mount there.
            os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNS)
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
            Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
        folder.mkdir(parents=True, exist_ok=True)
        _call_mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None)
        options = f"size={TMPFS_MIB}m,mode=0700".encode()
        _call_mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, options)
    except (OSError, AttributeError) as error:
        return f"a file system can't be mounted here ({error})"
    return ""


def _call_mount(source: bytes, target: bytes, kind: bytes | None, flags: int, data: bytes | None) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(source, target, kind, flags, data) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class SmallDisk:
    """A file system of a few hundred megabytes, filled by a file of ballast."""

    def __init__(self, folder: Path) -> None:
        self.how = f"a file system of {TMPFS_MIB} MiB, filled to the last byte"
        self._ballast = folder / "ballast"
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def fill(self) -> None:
        self._stop.clear()
        self._thread = threading.Thread(target=self._keep_full, daemon=True)
        self._thread.start()

    def free(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self._ballast.unlink(missing_ok=True)

    def _keep_full(self) -> None:
        # PostgreSQL removes files now and then, and would have room again.
        with self._ballast.open("ab", buffering=0) as file:
            while True:
                for size in (len(CHUNK), 4096):
                    with contextlib.suppress(OSError):  # no space left: what we want
                        while file.write(CHUNK[:size]) == size:
                            pass
                if self._stop.wait(AGAIN_SECONDS):
                    return


class SizeLimit:
    """No file of the database may be written at all: the kernel refuses each write (RLIMIT_FSIZE)."""

    def __init__(self, folder: Path, reason: str) -> None:
        self.how = f"a limit on the size of the database's files, because {reason}"
        self._folder = folder

    def fill(self) -> None:
        self._limit(0)

    def free(self) -> None:
        self._limit(None)

    def _limit(self, size: int | None) -> None:
        pids = [process.pid for process in find("postgres", self._folder / "data")]
        # As the servers' user: other users' limits are out of reach in most containers, for root as well.
        subprocess.run(
            ["true"],
            check=True,
            preexec_fn=lambda: _set_limits(pids, size),
            **as_account(account_for(self._folder)),
        )


def _set_limits(pids: list[int], size: int | None) -> None:
    for pid in pids:
        # One that has ended meanwhile. A server that was started since has no limit.
        with contextlib.suppress(ProcessLookupError):
            hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if size is None else size, hard))
