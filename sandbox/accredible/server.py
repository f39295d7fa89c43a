"""An HTTP server on the loopback interface for a small simulator: turns sockets into Request and Reply."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from sandbox.credly.wire import Reply, Request


class Server(ThreadingHTTPServer):
    """Serve in a separate thread inside a ``with`` block. ``handle`` is called in the thread of each request."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handle: Callable[[Request], Reply]) -> None:
        self.handle = handle
        self.stopping = threading.Event()
        super().__init__(address, _Handler)
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.02}, name="simulator", daemon=True
        )

    @property
    def origin(self) -> str:
        return f"http://{self.server_address[0]!s}:{self.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    """HTTP/1.0: one connection for each request, so that none is left over when the simulator stops."""

    server: Server
    server_version = "Simulator/1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in http.server
        """Log nothing: the simulator records every request."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.handle(Request(self.command, self.path, headers, body))
        if reply.manner == "hang":
            self.server.stopping.wait(reply.hold)
        if reply.manner != "answer":
            return
        self.send_response(reply.status)
        for name, value in {**reply.headers, "Content-Length": str(len(reply.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - names http.server looks for
