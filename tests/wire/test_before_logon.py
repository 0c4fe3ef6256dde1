"""What anybody can send to a host before he has logged on, and what becomes of it."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from tests.wire.waiting import wait_for

if TYPE_CHECKING:
    from tests.wire.conftest import Wire

    from hyperv_sim.server import SimulatedServer

PATIENCE = 10


def _talk(server: SimulatedServer, sent: bytes) -> bytes:
    """What is answered to some bytes, until the host closes."""
    with socket.create_connection(server.address, timeout=PATIENCE) as client:
        client.sendall(sent)
        return b"".join(iter(lambda: client.recv(65536), b""))


def _post(*headers: str) -> bytes:
    return "\r\n".join(("POST /wsman HTTP/1.1", "Host: h", *headers, "", "")).encode()


def test_a_body_that_is_too_long_is_refused_before_it_comes(wire: Wire) -> None:
    with socket.create_connection(wire.serve().address, timeout=PATIENCE) as client:
        client.sendall(_post(f"Content-Length: {10**11}"))
        assert client.recv(65536).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "header",
    [
        *("Content-Length: -1", "Content-Length: x", "Content-Length: 1_0", "Content-Length: \u0662"),
        "Content-Length: " + "9" * 5000,
        "Transfer-Encoding: chunked",
    ],
)
def test_an_invalid_length_is_refused(wire: Wire, header: str) -> None:
    assert _talk(wire.serve(), _post(header)).startswith(b"HTTP/1.1 400 ")


def test_a_401_names_each_way_to_log_on_and_no_reason(wire: Wire) -> None:
    (line, *headers), _, _ = (part.split(b"\r\n") for part in _talk_once(wire).partition(b"\r\n\r\n"))
    assert line == b"HTTP/1.1 401 "
    assert {b"WWW-Authenticate: Negotiate", b"Content-Length: 0", b"Server: Microsoft-HTTPAPI/2.0"} <= set(headers)


def _talk_once(wire: Wire) -> bytes:
    return _talk(wire.serve(), _post("Content-Length: 0", "Connection: close"))


@pytest.mark.parametrize("token", ["", "AAAA", "TlRMTVNTUAADAAAA", "YIIBAAAA", "TlRMTVNTUAABAAAA" + "/" * 4000])
def test_a_broken_token_is_a_401(wire: Wire, token: str) -> None:
    post = _post(f"Authorization: Negotiate {token}", "Content-Length: 0", "Connection: close")
    assert _talk(wire.serve(), post).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("begun", [b"", b"POST /wsman", _post("Content-Length: 100") + b"<s:Env"])
def test_a_client_that_is_silent_too_long_is_cut_off(wire: Wire, begun: bytes) -> None:
    server = wire.serve(idle_seconds=0.05)
    assert _talk(server, begun) == b""
    wait_for(lambda: server.open_connections == 0)


def test_a_connection_above_the_limit_is_closed_until_another_ends(wire: Wire) -> None:
    server = wire.serve(max_connections=2)
    held = [socket.create_connection(server.address, timeout=PATIENCE) for _ in range(2)]
    wait_for(lambda: server.open_connections == 2)
    assert not _is_heard(server)
    for client in held:
        client.close()
    wait_for(lambda: _is_heard(server))


def _is_heard(server: SimulatedServer) -> bool:
    try:
        return _talk(server, _post("Content-Length: 0", "Connection: close")).startswith(b"HTTP/1.1 401 ")
    except ConnectionError:  # it was closed before all was sent
        return False
