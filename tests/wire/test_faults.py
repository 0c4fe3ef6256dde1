"""A host that misbehaves does so as declared, where declared, and only there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import TYPE_CHECKING

import pytest
import requests
from pypsrp.complex_objects import RunspacePoolState
from pypsrp.exceptions import WinRMTransportError, WSManFaultError
from pypsrp.powershell import RunspacePool
from tests.wire.waiting import wait_for

from hyperv_sim.wire.faults import FaultPlan, Rule

if TYPE_CHECKING:
    from tests.wire.conftest import Wire

RULES = [
    ("drop-request Create#1", Rule("drop-request", "Create", 1)),
    ("drop-answer any#7", Rule("drop-answer", "any", 7)),
    ("delay=0.25 Receive#*", Rule("delay", "Receive", None, 0.25)),
    ("stall=60 any#3", Rule("stall", "any", 3, 60)),
    ("fault=2150859173 Create#2", Rule("fault", "Create", 2, 2150859173)),
    ("restart Command#3", Rule("restart", "Command", 3)),
]


@pytest.mark.parametrize(("text", "rule"), RULES)
def test_a_rule_reads_as_it_prints(text: str, rule: Rule) -> None:
    assert (Rule.parse(text), str(rule)) == (rule, text)


@pytest.mark.parametrize(
    "text", ["", "explode any#1", "delay any#1", "restart=1 any#1", "drop-answer Command", "drop-answer Comand#1"]
)
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"rule|take a value|is not one of"):
        Rule.parse(text)


def test_requests_are_counted_for_each_rule_apart() -> None:
    plan = FaultPlan(["drop-answer Command#2", "delay=1 any#*"])
    met = [[str(rule) for rule in plan.take(action)] for action in ("Command", "Receive", "Command", "Command")]
    assert met == [["delay=1 any#*"], ["delay=1 any#*"], ["drop-answer Command#2", "delay=1 any#*"], ["delay=1 any#*"]]
    assert str(plan) == "drop-answer Command#2; delay=1 any#*"
    assert len(plan.fired) == 5


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize(("rule", "work_done"), [("drop-request Command#1", 0), ("drop-answer Command#1", 1)])
def test_a_dropped_request_is_not_done_and_one_whose_answer_is_lost_is(
    wire: Wire, tls: bool, rule: str, work_done: int
) -> None:
    server = wire.serve(tls=tls)
    pool = wire.open(server)
    plan = server.arm(rule)
    with pytest.raises(requests.ConnectionError):
        wire.invoke(pool, "Write-Output")
    assert [str(fired) for fired in plan.fired] == [rule]
    with wire.open(server) as fresh:
        wire.invoke(fresh, "Write-Output")
    assert len(wire.host.ran) == work_done + 1


def test_output_whose_answer_was_lost_is_lost_though_the_work_is_done(wire: Wire) -> None:
    server = wire.serve(tls=True)
    pool = wire.open(server)
    shell = wire.shell(pool, "Write-Output", InputObject="lost")
    server.arm("drop-answer Receive#1")
    shell.begin_invoke()
    with pytest.raises(requests.ConnectionError):
        shell.end_invoke()
    with pytest.raises(WSManFaultError, match="the command has completed execution"):
        shell.end_invoke()
    assert (len(wire.host.ran), shell.output) == (1, [])


def test_a_shell_whose_create_answer_was_lost_stays_open_on_the_host(wire: Wire) -> None:
    server = wire.serve()
    server.arm("drop-answer Create#1")
    with pytest.raises(requests.ConnectionError):
        wire.open(server)
    assert server.open_shells == 1


def test_a_declared_fault_is_answered_without_any_work(wire: Wire) -> None:
    server = wire.serve()
    server.arm("fault=2150859173 Create#1")
    with pytest.raises(WSManFaultError, match="concurrent shells") as fault:
        wire.open(server)
    assert (fault.value.code, server.open_shells) == ("w:QuotaLimit", 0)
    wire.open(server)


def test_a_delay_that_outlasts_the_client_s_patience_is_a_read_timeout(wire: Wire) -> None:
    server = wire.serve(tls=True)
    pool = wire.open(server, read_timeout=2)
    server.arm("delay=3 Command#1")
    with pytest.raises(requests.ReadTimeout):
        wire.invoke(pool, "Write-Output")


@pytest.mark.parametrize("rule", ["stall=60 Command#1", "stall=0.1 Command#1"])
def test_a_request_that_stalls_is_never_done_whoever_gives_up_first(wire: Wire, rule: str) -> None:
    server = wire.serve(tls=True)
    pool = wire.open(server, read_timeout=1)
    server.arm(rule)
    with pytest.raises((requests.ReadTimeout, requests.ConnectionError)):
        wire.invoke(pool, "Write-Output")
    server.arm()
    with wire.open(server) as fresh:
        wire.invoke(fresh, "Write-Output")
    assert len(wire.host.ran) == 1


def test_a_receive_that_timed_out_is_sent_again_by_pypsrp_and_gets_the_output(wire: Wire) -> None:
    server = wire.serve(tls=True)
    with wire.open(server, read_timeout=2, reconnection_backoff=0.01) as pool:
        plan = server.arm("delay=3 Receive#1")
        assert wire.invoke(pool, "Write-Output", InputObject="here").output == ["here"]
    assert len(plan.fired) == 1


def test_after_a_restart_shells_are_gone_and_the_host_is_as_it_was(wire: Wire) -> None:
    server = wire.serve(tls=True)
    pool = wire.open(server)
    wire.invoke(pool, "Write-Output")
    server.arm("restart Command#1")
    with pytest.raises(requests.ConnectionError):
        wire.invoke(pool, "Write-Output")
    with pytest.raises(WSManFaultError, match="the shell was not found on the server"):
        wire.invoke(pool, "Write-Output")
    assert len(wire.host.ran) == 1
    with wire.open(server) as fresh:
        assert wire.invoke(fresh, "Write-Output", InputObject="up").output == ["up"]


def test_an_idle_connection_that_the_server_closed_breaks_an_ntlm_client_for_good(wire: Wire) -> None:
    server = wire.serve()
    pool = wire.open(server)
    server.close_idle_connections()
    for _ in range(2):  # it authenticates anew, but sends what it sealed for the old context
        with pytest.raises(WinRMTransportError) as refused:
            wire.invoke(pool, "Write-Output")
        assert refused.value.code == 400
    assert (wire.host.ran, server.open_shells) == ([], 1)
    with wire.open(server) as fresh:
        wire.invoke(fresh, "Write-Output")


def test_a_shell_whose_connection_was_idle_too_long_over_http_is_disconnected(wire: Wire) -> None:
    server = wire.serve(idle_seconds=0.2)
    pool = wire.open(server)
    wait_for(lambda: server.open_connections == 0)
    (shell,) = RunspacePool.get_runspace_pools(wire.connect(server))
    assert (shell.id.upper(), shell.state) == (pool.id.upper(), RunspacePoolState.DISCONNECTED)


def test_an_idle_connection_that_the_server_closed_does_not_matter_to_basic(wire: Wire) -> None:
    server = wire.serve(tls=True)
    pool = wire.open(server)
    server.close_idle_connections()
    assert wire.invoke(pool, "Write-Output", InputObject="fine").output == ["fine"]


def test_many_clients_at_once_are_served_each_its_own(wire: Wire) -> None:
    server = wire.serve(max_shells_per_user=40)

    def talk(number: int) -> list[list[str]]:
        with wire.open(server) as pool:
            return [wire.invoke(pool, "Write-Output", InputObject=f"{number}.{turn}").output for turn in range(5)]

    with ThreadPoolExecutor(32) as clients:
        said = list(clients.map(talk, range(32)))
    assert said == [[[f"{number}.{turn}"] for turn in range(5)] for number in range(32)]
    assert server.requests.snapshot().pipelines == 160
    assert server.open_shells == 0


def test_latency_is_waited_before_each_answer(wire: Wire) -> None:
    server = wire.serve(latency_ms=50)
    pool = wire.open(server)
    begun = monotonic()
    wire.invoke(pool, "Write-Output")
    assert monotonic() - begun >= 2 * 0.05
