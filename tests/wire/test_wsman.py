"""What WS-Management itself refuses, repeats and keeps."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

import pytest
import requests
from pypsrp.exceptions import WinRMError, WSManFaultError
from pypsrp.powershell import RunspacePool
from pypsrp.shell import WinRS
from pypsrp.wsman import SelectorSet
from tests.wire.waiting import wait_for

from hyperv_sim.wire.soap import NAMESPACES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.wire.conftest import Wire

TIMED_OUT, NOT_FOUND, NO_RESOURCE = 2150858793, 2150858843, 2150858811
TOO_MANY_SHELLS = "w:QuotaLimit"  # which is all that pypsrp reads of an error of WMI


def test_an_unknown_endpoint_is_not_in_the_catalog(wire: Wire) -> None:
    server = wire.serve()
    with pytest.raises(WSManFaultError, match=r"powershell/Nowhere\) was not found in the WS-Management cat") as fault:
        wire.open(server, configuration_name="Nowhere")
    assert (fault.value.code, fault.value.machine) == (NO_RESOURCE, "HYPERV-SIM")


def test_an_endpoint_that_the_user_may_not_use_denies_access(wire: Wire) -> None:
    with pytest.raises(WSManFaultError, match="Access is denied") as fault:
        wire.open(wire.serve(), configuration_name="Forbidden")
    assert fault.value.code == 5


def test_a_resource_that_is_no_shell_is_not_in_the_catalog(wire: Wire) -> None:
    with pytest.raises(WSManFaultError) as fault:
        WinRS(wire.connect(wire.serve())).open()
    assert fault.value.code == NO_RESOURCE


def test_the_quota_of_shells_is_per_user_and_freed_by_closing(wire: Wire) -> None:
    server = wire.serve(max_shells_per_user=2)
    first, _second = wire.open(server), wire.open(server)
    with pytest.raises(WSManFaultError, match="maximum number of concurrent shells") as fault:
        wire.open(server)
    assert fault.value.code == TOO_MANY_SHELLS
    first.close()
    wire.open(server)


def test_pipelines_that_are_never_closed_use_up_the_quota_of_commands(wire: Wire) -> None:
    with wire.open(wire.serve(max_commands_per_shell=2)) as pool:
        first = wire.invoke(pool, "Write-Output")
        wire.invoke(pool, "Write-Output")
        with pytest.raises(WSManFaultError, match="maximum number of concurrent commands per shell"):
            wire.invoke(pool, "Write-Output")
        first.close()
        wire.invoke(pool, "Write-Output")


def test_a_slow_pipeline_is_asked_for_again_after_each_operation_timeout(wire: Wire) -> None:
    server = wire.serve()
    with wire.open(server, operation_timeout=1) as pool:
        server.requests.reset()
        wire.host.may_go_on = lambda: server.requests.snapshot().actions["Receive"] >= 2
        assert wire.invoke(pool, "Wait-Event").output == ["went on"]
        assert server.requests.snapshot().actions["Receive"] >= 2


def test_an_operation_timeout_has_windows_number_and_words(wire: Wire) -> None:
    with wire.open(wire.serve(), operation_timeout=1) as pool:
        with pytest.raises(WSManFaultError, match="within the time specified in OperationTimeout") as fault:
            pool.shell.receive("stdout")
        assert fault.value.code == TIMED_OUT


@pytest.mark.parametrize("act", ["command", "receive", "send", "signal", "close", "is_alive"])
def test_a_shell_that_is_gone_is_not_found(wire: Wire, act: str) -> None:
    server = wire.serve(tls=True)
    pool = wire.open(server)
    acts: dict[str, Callable[[], object]] = {
        "command": lambda: pool.shell.command("", [""], command_id=pool.id),
        "receive": lambda: pool.shell.receive("stdout"),
        "send": lambda: pool.shell.send("stdin", b""),
        "signal": lambda: pool.shell.signal("powershell/signal/ctrl_c", pool.id),
        "close": pool.shell.close,
        "is_alive": pool.shell._get_shell,
    }
    wire.connect(server).delete(pool.shell.resource_uri, selector_set=pool.shell._selector_set)
    with pytest.raises(WSManFaultError) as fault:
        acts[act]()
    assert fault.value.code == NOT_FOUND


def test_a_shell_knows_whether_it_is_alive(wire: Wire) -> None:
    server = wire.serve()
    pool = wire.open(server)
    assert pool.is_alive()
    server.restart()
    assert not pool.is_alive()


def test_a_shell_that_nobody_used_for_its_idle_timeout_is_gone(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    server = wire.serve()
    pool = wire.open(server, idle_timeout=60)
    assert str(pool.shell.idle_time_out) == "PT60.000S"
    monkeypatch.setattr("hyperv_sim.wire.windows_shell.monotonic", lambda: 10**9)
    with pytest.raises(WSManFaultError) as fault:
        wire.invoke(pool, "Write-Output")
    assert (fault.value.code, server.open_shells) == (NOT_FOUND, 0)


def test_output_of_a_pipeline_that_ended_is_given_once(wire: Wire) -> None:
    with wire.open(wire.serve()) as pool:
        ran = wire.invoke(pool, "Write-Output", InputObject="once")
        with pytest.raises(WSManFaultError, match="the command has completed execution") as fault:
            pool.shell.receive("stdout", command_id=ran.id)
        assert fault.value.code == NOT_FOUND


def test_the_same_receive_sent_again_gets_the_same_output(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    with wire.open(wire.serve(tls=True)) as pool:
        sent: list[bytes] = []
        send = pool.connection.transport.send

        def noted(message: bytes, **settings: object) -> bytes:
            sent.append(message)
            return send(message)

        monkeypatch.setattr(pool.connection.transport, "send", noted)
        first = wire.invoke(pool, "Write-Output", InputObject="twice")
        again = send(sent[-1]).decode()
    assert (first.output, len(first.streams.progress)) == (["twice"], 1)
    assert again.count('<rsp:Stream Name="stdout"') == 3  # progress, output and state


def test_what_a_client_that_went_away_asked_for_stays_for_the_next(wire: Wire) -> None:
    server = wire.serve(tls=True)
    with wire.open(server) as pool:
        shell = wire.shell(pool, "Wait-Event")
        shell.begin_invoke()
        asking = Thread(target=_receive_and_break, args=(pool, shell.id))
        received = server.requests.snapshot().actions["Receive"]
        asking.start()
        wait_for(lambda: server.requests.snapshot().actions["Receive"] > received)
        pool.connection.close()
        server.close_connections()
        asking.join()
        wire.host.may_go_on = lambda: True
        assert shell.end_invoke() == ["went on"]


def _receive_and_break(pool: RunspacePool, command_id: str) -> None:
    with pytest.raises((OSError, WinRMError)):
        pool.shell.receive("stdout", command_id=command_id)


def test_a_disconnected_pool_is_reconnected_by_its_client(wire: Wire) -> None:
    with wire.open(wire.serve()) as pool:
        pool.disconnect()
        with pytest.raises(WSManFaultError, match="is disconnected"):
            pool.shell.receive("stdout")
        pool.connect()
        assert wire.invoke(pool, "Write-Output", InputObject="back").output == ["back"]


def test_a_disconnected_pool_and_its_pipeline_are_taken_over_by_a_new_client(wire: Wire) -> None:
    server = wire.serve()
    pool = wire.open(server)
    running = wire.shell(pool, "Wait-Event")
    running.begin_invoke()
    assert wire.host.waiting.wait(10)
    pool.disconnect()
    (found,) = RunspacePool.get_runspace_pools(wire.connect(server))
    assert found.id == pool.id
    found.connect()
    wire.host.may_go_on = lambda: True
    (pipeline,) = found.create_disconnected_power_shells()
    assert pipeline.connect() == ["went on"]  # type: ignore[no-untyped-call]
    assert wire.invoke(found, "Write-Output", InputObject="mine").output == ["mine"]
    found.close()
    assert server.open_shells == 0


def test_the_client_can_ask_how_large_an_envelope_may_be(wire: Wire) -> None:
    client = wire.connect(wire.serve())
    client.update_max_payload_size()
    assert client.max_envelope_size == 500 * 1024


@pytest.mark.parametrize(
    ("envelope", "code"),
    [
        (b"<not xml", 2150858770),
        (b"<!DOCTYPE x [<!ENTITY e 'e'>]><x>&e;</x>", 2150858770),
        (b"<x/>", 2150858770),
    ],
)
def test_what_is_no_envelope_gets_a_fault(wire: Wire, envelope: bytes, code: int) -> None:
    client = wire.connect(wire.serve(tls=True))
    with pytest.raises(WinRMError) as refused:
        client.transport.send(envelope)
    assert str(code) in str(refused.value)


@pytest.mark.parametrize(("timeout", "code"), [("-1", 2150858767), ("x", 2150858767)])
def test_an_invalid_timeout_gets_windows_fault(wire: Wire, timeout: str, code: int) -> None:
    client = wire.connect(wire.serve(), operation_timeout=timeout)
    with pytest.raises(WSManFaultError, match=f"invalid timeout field in the SOAP header: PT{timeout}S") as fault:
        client.get_server_config()
    assert fault.value.code == code


def test_data_that_is_no_psrp_gets_a_fault_and_the_shell_lives_on(wire: Wire) -> None:
    with wire.open(wire.serve(tls=True)) as pool:
        with pytest.raises(WSManFaultError) as fault:
            pool.shell.command("", ["bm90IFBTUlAgYXQgYWxs"], command_id="7F3C2F0E-0D5A-4F57-9A35-3F0D8F5A6A11")
        assert fault.value.code == 87
        assert pool.is_alive()


def test_a_pipeline_s_identifier_is_taken_once(wire: Wire) -> None:
    with wire.open(wire.serve()) as pool:
        first = wire.invoke(pool, "Write-Output")
        second = wire.shell(pool, "Write-Output")
        second.id = first.id
        with pytest.raises(WSManFaultError, match="already"):
            second.invoke()
    assert len(wire.host.ran) == 1


def test_an_action_that_the_shell_does_not_have_gets_a_fault(wire: Wire) -> None:
    with wire.open(wire.serve()) as pool:
        selectors = SelectorSet()
        selectors.add_option("ShellId", pool.id)
        with pytest.raises(WSManFaultError, match="is not supported"):
            pool.connection.put(pool.shell.resource_uri, selector_set=selectors)


def test_a_defect_of_the_simulator_is_a_fault_that_says_so(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire.host, "shells", lambda _name: 1 / 0)
    with pytest.raises(WSManFaultError, match=r"defect of hyperv_sim.*ZeroDivisionError"):
        wire.open(wire.serve())


HEADER = "<a:MessageID>uuid:1</a:MessageID><w:OperationTimeout>PT1S</w:OperationTimeout>"


def refused(wire: Wire, header: str) -> str:
    """The answer to an envelope with these headers, which the host refuses."""
    namespaces = "".join(f' xmlns:{name}="{NAMESPACES[name]}"' for name in ("s", "a", "w"))
    envelope = f"<s:Envelope{namespaces}><s:Header>{header}</s:Header><s:Body/></s:Envelope>"
    with pytest.raises(WinRMError) as raised:
        wire.connect(wire.serve(tls=True)).transport.send(envelope.encode())
    return str(raised.value)


@pytest.mark.parametrize(
    ("header", "code", "subcode"),
    [
        (f'{HEADER}<x xmlns="urn:x" s:mustUnderstand="true"/>', 2150858768, "s:MustUnderstand"),
        (f'{HEADER}<x xmlns="urn:x" s:mustUnderstand="1"/>', 2150858768, "s:MustUnderstand"),
        ("", 2150858767, "a:InvalidMessageInformationHeader"),
        ("<a:MessageID> </a:MessageID>", 2150858767, "a:InvalidMessageInformationHeader"),
        (f"{HEADER}<w:MaxEnvelopeSize>8191</w:MaxEnvelopeSize>", 2150858878, "w:EncodingLimit"),
        (f"{HEADER}<w:MaxEnvelopeSize>many</w:MaxEnvelopeSize>", 2150858817, "w:SchemaValidationError"),
        (f"{HEADER}<w:MaxEnvelopeSize>-1</w:MaxEnvelopeSize>", 2150858817, "w:SchemaValidationError"),
        # What need not be understood is passed over: only the resource, which is not named, is found wanting.
        (f'{HEADER}<x xmlns="urn:x" s:mustUnderstand="false"/>', 2150858811, "a:DestinationUnreachable"),
        (f'{HEADER}<w:MaxEnvelopeSize s:mustUnderstand="true">8192</w:MaxEnvelopeSize>', 2150858811, ""),
    ],
)
def test_a_header_that_windows_refuses_gets_its_fault(wire: Wire, header: str, code: int, subcode: str) -> None:
    answer = refused(wire, header)
    assert f'Code="{code}"' in answer
    assert subcode in answer


IDENTIFY = (
    f'<s:Envelope xmlns:s="{NAMESPACES["s"]}" xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
    "<s:Header/><s:Body><i:Identify/></s:Body></s:Envelope>"
)


def test_a_service_says_what_it_is_to_who_has_not_logged_on(wire: Wire) -> None:
    url = f"{wire.serve().url}/wsman"
    answer = requests.post(url, data=IDENTIFY, headers={"WSMANIDENTIFY": "unauthenticated"}, timeout=30)
    assert answer.status_code == 200
    assert "Microsoft Corporation" in answer.text
    assert "OS: 0.0.0 SP: 0.0 Stack: 3.0" in answer.text
    assert requests.post(url, data=IDENTIFY, timeout=30).status_code == 401
    other = IDENTIFY.replace("Identify/", "Other/")
    assert requests.post(url, data=other, headers={"WSMANIDENTIFY": "unauthenticated"}, timeout=30).status_code == 401


def test_a_service_says_its_version_to_who_has_logged_on(wire: Wire) -> None:
    answer = wire.connect(wire.serve()).transport.send(IDENTIFY.encode())
    assert b"OS: 10.0.20348 SP: 0.0 Stack: 3.0" in answer
