"""The listening socket: a thread for each connection, and no more of them than WinRM has."""

from __future__ import annotations

import socket
from http.server import ThreadingHTTPServer
from threading import BoundedSemaphore, Lock, Thread, current_thread
from typing import Any

from hyperv_sim.fidelity import fact
from hyperv_sim.wire.connection import Connection, Site

_POLL = 0.05  # seconds between looks at whether the listener should stop
_STOP = 5.0  # seconds that a connection's thread may take to end


class Listener(ThreadingHTTPServer):
    """The listening socket, its thread, and a thread for each connection."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, site: Site, address: tuple[str, int]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.site = site
        self._connections: dict[Connection, Thread] = {}
        self._free = BoundedSemaphore(site.connections_limit)
        self._lock = Lock()
        super().__init__(address, Connection)
        self._thread = Thread(target=self.serve_forever, args=(_POLL,), name="hyperv-sim listener", daemon=True)

    def start(self) -> None:
        """Begin to accept connections."""
        self._thread.start()

    def stop(self) -> None:
        """Break all connections and end all threads."""
        self.site.stopping.set()
        self.shutdown()
        self.server_close()
        self._thread.join()
        with self._lock:
            threads = list(self._connections.values())
        self.break_connections()
        for thread in threads:
            if thread is not current_thread():
                thread.join(_STOP)

    def server_bind(self) -> None:
        """Bind, without the look-up of the host's name that HTTPServer does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002 - the signature is given
        """Whether there is a thread for one more connection."""
        return self._free.acquire(blocking=False)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection to its end."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that break: clients go away as they please."""

    @property
    def open_connections(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    def add(self, connection: Connection) -> None:
        """Know of a connection; the caller is its thread."""
        with self._lock:
            self._connections[connection] = current_thread()

    def remove(self, connection: Connection) -> None:
        """Forget a connection."""
        with self._lock:
            self._connections.pop(connection, None)

    def break_connections(self) -> None:
        """Break all connections."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            connection.break_off()

    def close_idle_connections(self) -> None:
        """Close the connections that wait for a request, as if they had waited too long."""
        with self._lock:
            idle = [connection for connection in self._connections if not connection.is_busy]
        for connection in idle:
            connection.fall_idle()
            connection.break_off()


fact(
    "HTTP",
    "300 connections at once (MaxConnections); a further one is closed at once",
    "Microsoft's page on the configuration of Windows Remote Management; what becomes of a further one, unknown",
)
