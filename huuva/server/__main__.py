"""The server of web and live: `python -m huuva.server --port 8000 huuva.wsgi:application`.

With `--streams` the application is ASGI and its answers are event streams, which never end by themselves.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys

from granian.constants import HTTPModes, Interfaces, RuntimeModes
from granian.http import HTTP1Settings
from granian.log import LogLevels

from huuva.server.worker import serve_worker
from huuva.server.workers import WebServer


def main() -> None:
    parser = argparse.ArgumentParser(prog="huuva.server")
    parser.add_argument("application", help="module:name")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--streams", action="store_true")
    options = parser.parse_args()
    if sys.platform == "linux":
        # Workers inherit the socket; nothing of the application is imported here.
        multiprocessing.set_start_method("fork")
    server = WebServer(
        options.application,
        address=options.host,
        port=options.port,
        interface=Interfaces.ASGI if options.streams else Interfaces.RSGI,
        workers=options.workers,
        runtime_mode=RuntimeModes.mt,
        # A proxy in front uses HTTP/2 with clients, and HTTP/1.1 with us.
        http=HTTPModes.http1,
        # Ends slow request heads, and connections without a request.
        http1_settings=HTTP1Settings(header_read_timeout=10_000),
        websockets=False,
        backlog=16384,
        # Connections, not requests: idle ones must not keep new ones out.
        backpressure=16384,
        log_level=LogLevels.warning,
        # A worker that dies is replaced; one that dies again within seconds ends the server.
        respawn_failed_workers=True,
        respawn_interval=0.2,
        workers_kill_timeout=2 if options.streams else 3,
    )
    server.streams = options.streams
    server.serve(spawn_target=None if options.streams else serve_worker)


if __name__ == "__main__":
    main()
