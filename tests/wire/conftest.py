"""A host that does little but says all that a host can say, and clients as pypsrp's documentation makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from threading import Event, Lock
from typing import Any

import pytest
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from hyperv_sim.records import (
    BrokenEndpointError,
    Command,
    ErrorRecord,
    Failure,
    Invocation,
    InvocationFailedError,
    NetException,
    Output,
    Record,
    Scalar,
    Shell,
    Statement,
    Value,
    Warned,
)
from hyperv_sim.server import SimulatedServer

MACHINE = Scalar("String", "hv9")
ERROR = ErrorRecord(
    "InvalidParameter,Microsoft.HyperV.PowerShell.Commands.GetVM",
    "InvalidArgument",
    NetException(
        'Hyper-V was unable to find a virtual machine with name "hv9".\r\nSecond line.',
        ("Microsoft.HyperV.PowerShell.VirtualizationException", "System.Exception", "System.Object"),
    ),
    activity="Get-VM",
    target=MACHINE,
    target_name="hv9",
    target_type="String",
    invocation=Invocation("Get-VM", "Get-VM"),
)


class EchoHost:
    """The state behind the shells: what ran, what the next command gives, and how a waiting one goes on."""

    def __init__(self) -> None:
        self.ran: list[Command] = []
        self.answers: list[Value] = []
        self.may_go_on: Callable[[], bool] = lambda: False
        self.waiting = Event()
        self.stopped = Event()

    def shells(self, configuration_name: str) -> Shell | None:
        if configuration_name == "Forbidden":
            raise PermissionError
        if configuration_name == "Broken":
            raise BrokenEndpointError(ERROR)
        return EchoShell(self) if configuration_name == "Microsoft.PowerShell" else None


class EchoShell:
    """Does what the names of its commands say; parameters come back as output."""

    def __init__(self, host: EchoHost) -> None:
        self._host = host

    def invoke(self, statements: Sequence[Statement], stop: Event) -> Iterator[Record]:
        for command in (command for statement in statements for command in statement):
            self._host.ran.append(command)
            yield from self._run(command, stop)

    def _run(self, command: Command, stop: Event) -> Iterator[Record]:
        if command.is_script:
            yield Output(Scalar("String", f"script: {command.name}"))
        match command.name:
            case "Write-Output":
                yield from (Output(parameter.value) for parameter in command.parameters)
            case "Invoke-Expression":
                yield Output(Scalar("String", "script text"))
            case "Get-Answer":
                yield from (Output(answer) for answer in self._host.answers)
            case "Read-Input":
                yield from map(Output, command.piped or ())
            case "Write-Error":
                yield Failure(ERROR)
            case "Write-Warning":
                yield Warned("Mind the gap.", Invocation("Write-Warning", "Write-Warning"), command.merges_warnings)
            case "Stop-Here":
                raise InvocationFailedError(ERROR)
            case "Stop-Oddly":
                raise InvocationFailedError(replace(ERROR, category="NoSuchCategory"))
            case "Get-Defect":
                raise ZeroDivisionError("a defect")
            case "Wait-Event":
                yield from self._wait(stop)

    def _wait(self, stop: Event) -> Iterator[Record]:
        self._host.waiting.set()
        while not stop.wait(0.01):
            if self._host.may_go_on():
                yield Output(Scalar("String", "went on"))
                return
        self._host.stopped.set()


class Wire:
    """Servers before one echo host, and pypsrp's clients of them; all are closed after the test."""

    def __init__(self, cleanup: ExitStack) -> None:
        self.host = EchoHost()
        self._cleanup = cleanup
        self._constructing = Lock()

    def serve(self, **settings: Any) -> SimulatedServer:
        return self._cleanup.enter_context(SimulatedServer(self.host.shells, **settings))

    def connect(self, server: SimulatedServer, **settings: Any) -> WSMan:
        """Make a client, with NTLM over HTTP and Basic over HTTPS unless told otherwise."""
        address, port = server.address
        is_tls = server.url.startswith("https:")
        given = {
            "port": port,
            "ssl": is_tls,
            "auth": "basic" if is_tls else "ntlm",
            "username": server.username,
            "password": server.password,
            "cert_validation": server.ca_bundle if is_tls else True,
            "no_proxy": True,
        }
        with self._constructing:  # pypsrp names its namespaces to ElementTree, which has one list for all threads
            client = WSMan(address, **(given | settings))
        return self._cleanup.enter_context(client)

    def open(self, server: SimulatedServer, **settings: Any) -> RunspacePool:
        """Open a runspace pool; what is not a setting of RunspacePool is one of WSMan."""
        names = {"configuration_name", "min_runspaces", "max_runspaces", "idle_timeout"}
        of_pool = {name: settings.pop(name) for name in names & settings.keys()}
        pool = RunspacePool(self.connect(server, **settings), **of_pool)
        pool.open()
        return pool

    def shell(self, pool: RunspacePool, *commands: str, **parameters: Any) -> PowerShell:
        """Make a pipeline of statements, one command each, the last one with parameters."""
        shell = PowerShell(pool)
        for index, command in enumerate(commands):
            if index:
                shell.add_statement()
            shell.add_cmdlet(command)
        return shell.add_parameters(parameters)

    def invoke(self, pool: RunspacePool, *commands: str, **parameters: Any) -> PowerShell:
        shell = self.shell(pool, *commands, **parameters)
        shell.invoke()
        return shell


@pytest.fixture
def wire() -> Iterator[Wire]:
    with ExitStack() as cleanup:
        yield Wire(cleanup)
