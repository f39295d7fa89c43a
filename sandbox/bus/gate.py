"""A gate before a server: let through, refuse, or accept and never answer, as networks and stopped machines do."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self

HOST = "127.0.0.1"
PIECE = 64 * 1024


class Gate:
    """Stands before the server at ``port``, with an address of its own. It begins open; use it as a context manager."""

    def __init__(self, port: int) -> None:
        self._server = (HOST, port)
        self._listener: socket.socket | None = socket.create_server((HOST, 0))
        self._host, self._port = self._listener.getsockname()
        self._passing: list[socket.socket] = []
        self._accept(self._listener)

    def url(self, path: str) -> str:
        """Return the address of something behind it."""
        return f"http://{self._host}:{self._port}{path}"

    def open(self) -> None:
        """Let connections through to the server."""
        self._replace(accepting=True)

    def hang(self) -> None:
        """Accept connections, as the system does for a program that never looks at them, and never answer."""
        self._replace(accepting=False)

    def refuse(self) -> None:
        """Refuse connections."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._close()

    def _replace(self, *, accepting: bool) -> None:
        self._close()
        self._listener = socket.create_server((self._host, self._port))
        if accepting:
            self._accept(self._listener)

    def _close(self) -> None:
        """Close everything, connections that are open included."""
        for each in [self._listener, *self._passing]:
            if each is not None:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()
        self._listener, self._passing = None, []

    def _accept(self, listener: socket.socket) -> None:
        threading.Thread(target=self._let_through, args=(listener,), daemon=True).start()

    def _let_through(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
                server = socket.create_connection(self._server)
            except OSError:
                # The gate was closed, or there is no server.
                return
            self._passing += [client, server]
            for pair in ((client, server), (server, client)):
                threading.Thread(target=_copy, args=pair, daemon=True).start()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(PIECE):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
