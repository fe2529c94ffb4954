"""Files that nobody asked for: nothing here takes files, so nothing of them may reach a disk."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.chaos.context import FaultContext
from tests.chaos.ledger import now
from tests.chaos.watchers import Watcher

# Of each body. The larger one is past every limit, the smaller one below all of them.
LARGE, SMALL = 8 << 20, 10_000
TAKING = (
    "/api/orders",
    "/api/channels/deliverect/orders",
    "/api/channels/generic/none/orders",
    "/admin/login/",
    "/admin/orders/order/",
    "/display/bump",
    "/display/pair",
)
# These take no body at all; they may say that instead.
OTHERS = ("/", "/livez", "/metrics", "/no-such-path")
BOUNDARY = "----upload"
ANSWER_SECONDS = 15.0
TOO_LARGE = (413, 415)


def multipart(size: int, *, filename: str = "menu.pdf") -> tuple[bytes, bytes]:
    """Head and tail of a form with one file; between them lie `size` bytes of it."""
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()
    return head, f"\r\n--{BOUNDARY}--\r\n".encode()


def upload(port: int, path: str, size: int, key: str = "") -> int:
    """Sends a file of that size there; returns the status of the answer, 0 for a connection that was closed instead.

    It goes on sending until somebody answers: a server that refuses need not read to the end.
    """
    head, tail = multipart(size)
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}",
        f"Content-Length: {len(head) + size + len(tail)}",
        "Connection: close",
        # Without it a form is refused before anybody looks into it; an attacker just makes one up.
        f"Cookie: csrftoken={'x' * 32}",
        *([f"Authorization: Bearer {key}"] if key else []),
    ]
    chunk = b"x" * 65536
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS) as sock:
        with contextlib.suppress(OSError):  # it has answered and closed: the answer is still to be read
            sock.sendall("\r\n".join([*lines, "", ""]).encode() + head)
            for start in range(0, size, len(chunk)):
                sock.sendall(chunk[: min(len(chunk), size - start)])
            sock.sendall(tail)
        answer = b""
        with contextlib.suppress(OSError):
            while b"\r\n" not in answer and (more := sock.recv(4096)):
                answer += more
    words = answer.split(b" ", 2)
    return int(words[1]) if len(words) > 2 and words[0].startswith(b"HTTP/1.") else 0


class SpoolWatch(Watcher):
    """How many bytes lie in a folder for temporary files at most, those of files without a name included."""

    def __init__(self, context: FaultContext) -> None:
        super().__init__(context.ledger)
        self.most = 0
        self._stack, self._folder = context.stack, context.stack.temporary

    def look(self) -> None:
        self.most = max(self.most, spooled(self._folder, self._stack.web_workers()))
        self.stop.wait(0.01)


def spooled(folder: Path, processes: list[psutil.Process]) -> int:
    """Bytes of the files in that folder, and of those deleted there that these processes still hold open."""
    sizes: dict[tuple[int, int], int] = {}
    for path in _files(folder, processes):
        with contextlib.suppress(OSError):  # it is gone
            status = path.stat()
            if stat.S_ISREG(status.st_mode):
                sizes[status.st_dev, status.st_ino] = status.st_size
    return sum(sizes.values())


def _files(folder: Path, processes: list[psutil.Process]) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        yield from (Path(parent, name) for name in names)
    for process in processes:
        with contextlib.suppress(OSError):
            for link in Path(f"/proc/{process.pid}/fd").iterdir():
                with contextlib.suppress(OSError):
                    if link.readlink().is_relative_to(folder):
                        yield link


def is_refused(path: str, size: int, status: int) -> bool:
    """A large one for what it is; of a small one it may be said first that nobody may send anything there."""
    if size == LARGE and path in TAKING:
        return status in TOO_LARGE
    return 400 <= status < 500


def upload_files(context: FaultContext) -> None:
    """All at once, to each path, of both sizes; the sum is bounded."""
    watch = SpoolWatch(context)
    jobs = [(path, size) for path in (*TAKING, *OTHERS) for size in (LARGE, SMALL)]
    answers: dict[tuple[str, int], int] = {}
    watch.start()
    try:
        threads = [threading.Thread(target=_upload, args=(context, job, answers)) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        watch.finish()
    for (path, size), status in sorted(answers.items()):
        if not is_refused(path, size, status):
            word = status or "a closed connection"
            context.ledger.complain(f"a file of {size:,} bytes to {path} got {word}, expected a refusal")
    if watch.most:
        context.ledger.complain(f"{watch.most:,} bytes of uploads lay in the folder for temporary files")
    total = sum(size for _, size in jobs)
    context.note(f"{len(jobs)} files, {total / 1e6:.0f} MB; {watch.most:,} bytes spooled")


def _upload(context: FaultContext, job: tuple[str, int], answers: dict[tuple[str, int], int]) -> None:
    began = now()
    try:
        answers[job] = upload(context.stack.port, *job, key=context.rush.key)
    except OSError:
        answers[job] = 0
    if now() - began > ANSWER_SECONDS:
        context.ledger.complain(f"a file to {job[0]} was answered after {now() - began:.0f} s")
