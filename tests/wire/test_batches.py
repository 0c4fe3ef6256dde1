"""A batch that a terminating error has cut off: its client is told of an end, and the rest still runs on the host."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from pypsrp.complex_objects import PSInvocationState
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan
from tests.wire.waiting import wait_for

from hyperv_sim.host import SimulatedHost
from hyperv_sim.server import SimulatedServer

LONG = 60.0  # seconds: no statement that is left runs on its own, however busy this computer is
MAKES_TWO = (("New-VM", "a"), ("New-VM", "b"))


@pytest.fixture
def host() -> SimulatedHost:
    return SimulatedHost()


@pytest.fixture
def pool(host: SimulatedHost) -> Iterator[RunspacePool]:
    with ExitStack() as cleanup:
        server = cleanup.enter_context(SimulatedServer(host.shells))
        address, port = server.address
        logon: dict[str, Any] = {"username": server.username, "password": server.password, "auth": "ntlm"}
        wsman = cleanup.enter_context(WSMan(address, port=port, ssl=False, no_proxy=True, **logon))
        yield cleanup.enter_context(RunspacePool(wsman))


def batch(pool: RunspacePool, *statements: tuple[str, ...]) -> PowerShell:
    """Run the statements in one invocation: a cmdlet each, with its name for an argument if there is one."""
    shell = PowerShell(pool)
    for number, (cmdlet, *names) in enumerate(statements):
        shell = shell.add_statement() if number else shell
        shell.add_cmdlet(cmdlet)
        for name in names:
            shell.add_parameter("Name", name)
    shell.invoke()
    return shell


def names(host: SimulatedHost) -> set[str]:
    with host.state.lock:
        return {machine.name for machine in host.state.machines.values()}


def test_the_rest_of_a_failed_batch_runs_after_its_client_was_told(
    host: SimulatedHost, pool: RunspacePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hyperv_sim.wire.pipeline.UNHEARD_DELAY", LONG)
    shell = batch(pool, ("Get-VM",), ("Get-Unicorn",), *MAKES_TWO)
    assert shell.state == PSInvocationState.FAILED
    assert names(host) == set()
    pool.close()  # nobody can come between any more
    wait_for(lambda: names(host) == {"a", "b"})


def test_a_batch_that_begins_with_an_error_ends_completed_and_is_not_heard_whole(
    host: SimulatedHost, pool: RunspacePool
) -> None:
    shell = batch(pool, ("Get-Unicorn",), ("Get-VMHost",), *MAKES_TWO, ("Get-VM",))
    assert shell.state == PSInvocationState.COMPLETED
    assert [str(error.fq_error) for error in shell.streams.error] == ["CommandNotFoundException"]
    assert len(shell.output) == 1
    wait_for(lambda: names(host) == {"a", "b"})


def test_another_pipeline_comes_between_the_statements_that_are_left(
    host: SimulatedHost, pool: RunspacePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hyperv_sim.wire.pipeline.UNHEARD_DELAY", LONG)
    batch(pool, ("Get-VM",), ("Get-Unicorn",), *MAKES_TWO)
    seen = [len(batch(pool, ("Get-VM",)).output) for _ in MAKES_TWO]
    assert seen == [0, 1]
    wait_for(lambda: names(host) == {"a", "b"})


def test_stopping_does_not_reach_the_statements_that_are_left(host: SimulatedHost, pool: RunspacePool) -> None:
    batch(pool, ("Get-VM",), ("Get-Unicorn",), *MAKES_TWO).close()
    wait_for(lambda: names(host) == {"a", "b"})


def test_a_script_in_a_later_statement_ends_the_batch_at_once_as_a_restricted_session_was_recorded_to_do(
    host: SimulatedHost, pool: RunspacePool
) -> None:
    shell = PowerShell(pool)
    shell.add_cmdlet("Get-Item").add_parameter("LiteralPath", "C:\\no").add_statement()
    shell.add_script("New-VM a")
    shell.add_statement().add_cmdlet("New-VM").add_parameter("Name", "b")
    shell.invoke()
    assert shell.state == PSInvocationState.FAILED
    missing: Any
    refused: Any
    missing, refused = shell.streams.error
    assert str(missing.fq_error).startswith("PathNotFound,")
    assert (refused.fq_error, refused.category, refused.reason) == ("ScriptsNotAllowed", 17, "ParseException")
    assert (refused.target_object, refused.target_type) == ("New-VM a", "String")
    assert refused.message == "ParserError: (New-VM a:String) [], ParseException"
    assert refused.invocation_info is None
    wait_for(lambda: names(host) == {"b"})


def test_a_hidden_command_is_an_unknown_one(host: SimulatedHost, pool: RunspacePool) -> None:
    host.hide("Get-VMHost")
    hidden: Any
    unknown: Any
    hidden, unknown = (batch(pool, (name,)).streams.error[0] for name in ("Get-VMHost", "Get-Unicorn"))
    assert str(hidden).replace("Get-VMHost", "Get-Unicorn") == str(unknown)
    assert hidden.exception.types == unknown.exception.types
    assert (hidden.fq_error, hidden.target_object) == ("CommandNotFoundException", "Get-VMHost")
