"""An HTTP/1.1 server with keep-alive on the loopback interface: turns sockets into Request and Reply."""

import contextlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sandbox.credly.service import Service
from sandbox.credly.wire import Reply, Request

_BODY_LIMIT = 1 << 20
_STOP_PATIENCE = 10.0


class Server(ThreadingHTTPServer):
    daemon_threads = True
    # A drill opens many connections at once; the default of 5 would refuse some.
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], service: Service) -> None:
        self.service = service
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__(address, _Handler)

    @property
    def connections(self) -> int:
        with self._changed:
            return len(self._open)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect, which drills do. Any other error is a bug of the simulator and must show."""
        if not self.service.stopping.is_set():
            super().handle_error(request, client_address)

    def close_connections(self) -> None:
        """Close all connections, including idle ones, as a dead service would. Wait until no request is running."""
        with self._changed:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, timeout=_STOP_PATIENCE)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "CredlySimulator/1"
    disable_nagle_algorithm = True
    # One write per reply.
    wbufsize = -1

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in http.server
        """The journal is the log."""

    def _serve(self) -> None:
        problem = self._body_problem()
        if problem is not None:
            self.close_connection = True
            self._send(Reply(problem))
            return
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length)
        if len(body) < length:
            # The client died while it was sending.
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.service.handle(Request(self.command, self.path, headers, body))
        if reply.manner == "hang":
            self.server.service.stopping.wait(reply.hold)
        if reply.manner == "answer":
            self._send(reply)
        else:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve  # noqa: N815 - names http.server looks for

    def _body_problem(self) -> int | None:
        """Return the status that refuses an unreadable body, or None if it is readable."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers:
            return 411
        if not (length.isascii() and length.isdigit()):
            return 400
        return 413 if int(length) > _BODY_LIMIT else None

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(reply.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)
        self.wfile.flush()
