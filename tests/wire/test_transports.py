"""Who may come in, and in which wrapping."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from pypsrp.exceptions import AuthenticationError, WinRMTransportError
from pypsrp.negotiate import HTTPNegotiateAuth
from pypsrp.powershell import RunspacePool

if TYPE_CHECKING:
    from tests.wire.conftest import Wire

WAYS = [
    pytest.param(False, "ntlm", {}, id="NTLM with message encryption over HTTP"),
    pytest.param(False, "negotiate", {}, id="Negotiate with message encryption over HTTP"),
    pytest.param(True, "basic", {}, id="Basic over HTTPS"),
    pytest.param(True, "ntlm", {}, id="NTLM with a channel binding over HTTPS"),
    pytest.param(True, "negotiate", {}, id="Negotiate with a channel binding over HTTPS"),
    pytest.param(True, "ntlm", {"negotiate_send_cbt": False}, id="NTLM without a channel binding over HTTPS"),
    pytest.param(True, "ntlm", {"encryption": "always"}, id="NTLM with message encryption over HTTPS"),
]


@pytest.mark.parametrize(("tls", "auth", "settings"), WAYS)
def test_each_way_in_leads_to_a_shell(wire: Wire, tls: bool, auth: str, settings: dict[str, object]) -> None:
    server = wire.serve(tls=tls)
    with wire.open(server, auth=auth, **settings) as pool:
        assert wire.invoke(pool, "Write-Output", InputObject="hello").output == ["hello"]
        assert server.open_shells == 1
    assert server.open_shells == 0


@pytest.mark.parametrize("username", ["administrator", r".\Administrator", r"HYPERV-SIM\Administrator"])
@pytest.mark.parametrize(("tls", "auth"), [(False, "ntlm"), (True, "basic")])
def test_the_user_may_be_named_with_the_host(wire: Wire, tls: bool, auth: str, username: str) -> None:
    with wire.open(wire.serve(tls=tls), auth=auth, username=username) as pool:
        assert pool.state == 2


@pytest.mark.parametrize(("tls", "auth"), [(False, "ntlm"), (False, "negotiate"), (True, "ntlm"), (True, "basic")])
@pytest.mark.parametrize(
    "wrong", [{"password": "no"}, {"username": "Guest"}, {"username": "OTHER\\x", "password": "no"}]
)
def test_a_wrong_user_or_password_is_refused(wire: Wire, tls: bool, auth: str, wrong: dict[str, str]) -> None:
    server = wire.serve(tls=tls)
    with pytest.raises(AuthenticationError):
        RunspacePool(wire.connect(server, auth=auth, **wrong)).open()
    assert server.requests.snapshot().actions.total() == 0
    assert server.open_shells == 0


@pytest.mark.parametrize("auth", ["ntlm", "negotiate"])
def test_a_wrong_channel_binding_is_refused(wire: Wire, monkeypatch: pytest.MonkeyPatch, auth: str) -> None:
    monkeypatch.setattr(HTTPNegotiateAuth, "_get_cbt_data", lambda _response: b"tls-server-end-point:another")
    with pytest.raises(AuthenticationError):
        wire.open(wire.serve(tls=True), auth=auth)


def test_a_refused_client_may_come_again_with_the_right_password(wire: Wire) -> None:
    server = wire.serve()
    with pytest.raises(AuthenticationError):
        RunspacePool(wire.connect(server, password="no")).open()
    wire.open(server).close()


def test_unencrypted_messages_over_http_are_refused_with_an_empty_500(wire: Wire) -> None:
    server = wire.serve()
    with pytest.raises(WinRMTransportError) as refused:
        RunspacePool(wire.connect(server, encryption="never")).open()
    assert (refused.value.code, refused.value.response_text) == (500, "")
    assert server.open_shells == 0


def test_basic_over_http_is_not_offered(wire: Wire) -> None:
    with pytest.raises(AuthenticationError):
        RunspacePool(wire.connect(wire.serve(), auth="basic", encryption="never")).open()


def test_a_made_up_password_is_a_new_one_each_time(wire: Wire) -> None:
    assert wire.serve().password != wire.serve().password


def test_two_servers_of_one_user_name_know_their_passwords_apart(wire: Wire) -> None:
    first, second = wire.serve(password="first"), wire.serve(password="second")
    wire.open(first).close()
    wire.open(second).close()
    with pytest.raises(AuthenticationError):
        RunspacePool(wire.connect(first, password="second")).open()


def test_pyspnego_s_user_file_is_there_only_while_it_is_read(wire: Wire) -> None:
    wire.open(wire.serve()).close()
    assert os.environ["NTLM_USER_FILE"] == ""


@pytest.mark.parametrize("account", [{"password": "a:b"}, {"password": ""}, {"username": "a\nb"}])
def test_an_account_that_ntlm_could_not_look_up_is_refused_at_once(wire: Wire, account: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="user name"):
        wire.serve(**account)


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "192.0.2.1:5985", "example.org:5985", "127.0.0.1", "127.0.0.1:x"])
def test_only_loopback_is_listened_on(wire: Wire, listen: str) -> None:
    with pytest.raises(ValueError, match=r"loopback|HOST:PORT"):
        wire.serve(listen=listen)


def test_a_request_beyond_the_envelope_size_gets_413(wire: Wire) -> None:
    with (
        wire.open(wire.serve(tls=True, max_envelope_kb=8), auth="basic") as pool,
        pytest.raises(WinRMTransportError) as refused,
    ):
        wire.invoke(pool, "Write-Output", InputObject="x" * 20_000)
    assert refused.value.code == 413


def test_stopping_ends_connections_and_waiting_requests_at_once(wire: Wire) -> None:
    server = wire.serve()
    wire.open(server)
    assert server.open_connections == 1
    server.stop()
    server.stop()
    assert (server.open_connections, server.open_shells) == (0, 0)
