"""Whoever may answer in a host's place: a socket with a script of what it sends to each request."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import BinaryIO, TypeAlias

SOAP = "Content-Type: application/soap+xml;charset=UTF-8"

Script: TypeAlias = Callable[[bytes], Iterable[bytes]]
"""What is sent in answer to a request, piece by piece; after it the connection is closed."""


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """An HTTP answer."""
    lines = (f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", "")
    return "\r\n".join(lines).encode() + body


class Peer:
    """A listening socket that answers by its script, over TLS if it has a context."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self._script = script
        self._tls = tls
        self.stopping = Event()
        self._socket = socket.create_server(("127.0.0.1", 0))

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        return int(self._socket.getsockname()[1])

    @property
    def url(self) -> str:
        """Its address."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def serve(self) -> None:
        """Answer until it is stopped."""
        with suppress(OSError):
            while not self.stopping.is_set():
                client, _ = self._socket.accept()
                Thread(target=self._serve_one, args=(client,), daemon=True).start()

    def stop(self) -> None:
        """Listen no more, and end what is being sent."""
        self.stopping.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve_one(self, client: socket.socket) -> None:
        with suppress(OSError, ValueError), client:
            client.settimeout(30)
            stream = self._tls.wrap_socket(client, server_side=True) if self._tls else client
            with stream, stream.makefile("rb") as reader:
                self.requests.append(request := _request(reader))
                for piece in self._script(request):
                    if self.stopping.is_set():
                        break
                    stream.sendall(piece)


def _request(reader: BinaryIO) -> bytes:
    head = b"".join(iter(reader.readline, b"\r\n"))
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    return head + reader.read(length)


@contextmanager
def peer(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[Peer]:
    """A peer that answers by the script."""
    running = Peer(script, tls)
    thread = Thread(target=running.serve)
    thread.start()
    try:
        yield running
    finally:
        running.stop()
        thread.join()
