"""What another process can have a host do by command: `hyperv-sim serve --control` and `hyperv-sim control`."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests
from click.testing import CliRunner
from pypsrp.complex_objects import RunspacePoolState
from pypsrp.exceptions import WinRMTransportError, WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan
from tests.wire.waiting import wait_for

from hyperv_sim.command import main
from hyperv_sim.remote_control import control

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = [sys.executable, "-c", "from hyperv_sim.command import main; main()"]
SECONDS = 30
BROKEN = (requests.ConnectionError, WinRMTransportError)


class Host:
    """A host in a process of its own, and the command that tells it what to do."""

    def __init__(self, ready: dict[str, str], token: str) -> None:
        self.ready = ready
        self._environment = dict(os.environ) | {
            "HYPERV_SIM_CONTROL": ready["control"],
            "HYPERV_SIM_CONTROL_TOKEN": token,
        }

    def in_a_process(self, *arguments: str) -> str:
        """What `hyperv-sim control` prints."""
        command = [*COMMAND, "control", *arguments]
        return subprocess.run(
            command, stdout=subprocess.PIPE, text=True, check=True, timeout=SECONDS, env=self._environment
        ).stdout

    def control(self, *arguments: str) -> str:
        """The same, without a process of its own."""
        ended = CliRunner().invoke(main, ["control", *arguments], env=self._environment)
        assert ended.exit_code == 0, ended.output
        return ended.stdout

    def refused(self, *arguments: str, **environment: str) -> str:
        ended = CliRunner().invoke(main, ["control", *arguments], env=self._environment | environment)
        assert ended.exit_code != 0
        assert isinstance(ended.exception, SystemExit)
        return ended.output

    @contextmanager
    def pool(self) -> Iterator[RunspacePool]:
        url = urlsplit(self.ready["url"])
        client = WSMan(
            url.hostname or "",
            port=url.port,
            ssl=False,
            auth="ntlm",
            username=self.ready["username"],
            password=self.ready["password"],
            no_proxy=True,
        )
        with client, RunspacePool(client) as pool:
            yield pool


@contextmanager
def serving(*arguments: str, token: str = "", **environment: str) -> Iterator[Host]:
    process = subprocess.Popen(
        [*COMMAND, "serve", *arguments], stdout=subprocess.PIPE, text=True, env=os.environ | environment
    )
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        yield Host(ready, token or ready["controlToken"])
    finally:
        process.terminate()
        process.communicate(timeout=SECONDS)
    assert process.returncode == 0


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with serving("--control", "--external-switch", "LAN") as served:
        yield served


def cmdlet(pool: RunspacePool, name: str, **parameters: Any) -> PowerShell:
    shell = PowerShell(pool)
    shell.add_cmdlet(name).add_parameters(parameters)
    shell.invoke()
    return shell


def names(host: Host) -> list[str]:
    return [machine["name"] for machine in json.loads(host.control("snapshot"))["machines"].values()]


def test_an_answer_is_lost_and_the_work_is_done(host: Host) -> None:
    with host.pool() as pool:
        assert host.in_a_process("arm", "drop-answer Command#1") == "drop-answer Command#1\n"
        with pytest.raises(BROKEN):
            cmdlet(pool, "New-VM", Name="lost")
        assert host.control("fired") == "drop-answer Command#1\n"
        assert host.control("arm") == ""
        pool.state = RunspacePoolState.CLOSED  # its connection's encryption is out of step
    wait_for(lambda: names(host) == ["lost"])


def test_a_request_can_meet_a_fault(host: Host) -> None:
    host.control("arm", "fault=2150859173 Create#1")
    with pytest.raises(WSManFaultError), host.pool():
        pass
    with host.pool():
        pass


def test_a_cmdlet_is_refused_until_it_is_allowed(host: Host) -> None:
    host.control("refuse", "new-vhd", "AccessDenied", "PermissionDenied")
    with host.pool() as pool:
        (error,) = cmdlet(pool, "New-VHD", Path=r"D:\a.vhdx", SizeBytes=2**30).streams.error
        assert error.fq_error == "AccessDenied,Microsoft.Vhd.PowerShell.Cmdlets.NewVhd"
        host.control("allow", "New-VHD")
        assert not cmdlet(pool, "New-VHD", Path=r"D:\a.vhdx", SizeBytes=2**30).streams.error


def test_a_setting_is_dropped_in_silence_until_it_is_kept(host: Host) -> None:
    with host.pool() as pool:
        cmdlet(pool, "New-VM", Name="dropped")
        host.control("revert", "VMProcessor", "Count")
        counts = []
        for _ in range(2):
            shell = cmdlet(pool, "Set-VMProcessor", VMName="dropped", Count=2, Passthru=True)
            counts.append(shell.output[0].adapted_properties["Count"])
            host.control("keep", "VMProcessor", "Count")
    assert counts == [1, 2]


def test_a_guest_is_told_to_stay(host: Host) -> None:
    with host.pool() as pool:
        cmdlet(pool, "New-VM", Name="guest")
        cmdlet(pool, "Start-VM", Name="guest")
        host.control("guest", "guest", "locked")
        (error,) = cmdlet(pool, "Stop-VM", Name="guest").streams.error
    assert error.fq_error == "InvalidOperation,Microsoft.HyperV.PowerShell.Commands.StopVM"


def test_files_are_put_there(host: Host) -> None:
    host.control("place", r"D:\media\windows.iso")
    host.control("place", r"D:\images\base.vhdx")
    with host.pool() as pool:
        assert cmdlet(pool, "Test-Path", LiteralPath=r"D:\media\windows.iso").output == [True]
        assert not cmdlet(pool, "Get-VHD", Path=r"D:\images\base.vhdx").streams.error


def test_a_restart_ends_the_shells_and_keeps_the_machines(host: Host) -> None:
    with host.pool() as pool:
        cmdlet(pool, "New-VM", Name="kept")
        host.control("restart")
        with pytest.raises((WSManFaultError, *BROKEN)):
            cmdlet(pool, "Get-VM", Name="kept")
        pool.state = RunspacePoolState.CLOSED  # the host does not know it any more
    with host.pool() as pool:
        assert not cmdlet(pool, "Get-VM", Name="kept").streams.error


def test_requests_are_counted(host: Host) -> None:
    before = json.loads(host.control("counts"))
    with host.pool() as pool:
        cmdlet(pool, "Get-VM")
    after = json.loads(host.control("counts"))
    assert after["pipelines"] == before["pipelines"] + 1
    assert after["actions"]["Create"] == before["actions"].get("Create", 0) + 1


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("arm", "drop Command"), "no rule of a fault plan"),
        (("arm", "drop-answer Comand#1"), "'Comand' is not one of"),
        (("refuse", "New-VN", "AccessDenied", "PermissionDenied"), "no simulated cmdlet 'New-VN'"),
        (("refuse", "New-VM", "AccessDenied", "Denied"), "no category"),
        (("revert", "VMProcessors", "Count"), "no cmdlets of 'VMProcessors'"),
        (("guest", "nobody", "locked"), "no machine 'nobody'"),
        (("guest", "guest", "asleep"), "is not one of"),
        (("place", "base.vhdx"), "not a full path"),
        (("place", r"Z:\base.vhdx"), "not a full path"),
    ],
)
def test_a_mistake_is_said_in_words(host: Host, arguments: tuple[str, ...], why: str) -> None:
    assert why in host.refused(*arguments)


@pytest.mark.parametrize("command", sorted(control.commands))
def test_a_command_is_explained_without_a_host(command: str) -> None:
    told = CliRunner(env={"HYPERV_SIM_CONTROL": None, "HYPERV_SIM_CONTROL_TOKEN": None}).invoke(
        main, ["control", command, "--help"]
    )
    assert told.exit_code == 0, told.output
    assert told.output.startswith(f"Usage: main control {command} ")


def test_a_command_needs_to_be_told_of_a_host(host: Host) -> None:
    assert "Missing option '--url'" in host.refused("restart", HYPERV_SIM_CONTROL="")


def test_only_who_knows_the_token_is_heard(host: Host) -> None:
    assert "the token is not the one" in host.refused("restart", HYPERV_SIM_CONTROL_TOKEN="guessed")
    assert "is not set, or empty" in host.refused("restart", HYPERV_SIM_CONTROL_TOKEN="")
    assert requests.post(host.ready["control"], json={"command": "restart"}, timeout=SECONDS).status_code == 401
    assert urlsplit(host.ready["control"]).hostname == "127.0.0.1"


@pytest.mark.parametrize(
    "body",
    [b"{", b'{"command": "__init__"}', b'{"command": "arm", "arguments": "x"}', b" " * 65537, b"[" * 60000, b"\xff"],
)
def test_a_request_that_is_none_is_refused(host: Host, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {host.ready['controlToken']}"}
    answer = requests.post(host.ready["control"], data=body, headers=headers, timeout=SECONDS)
    assert answer.status_code == 400
    assert answer.json().keys() == {"error"}


def test_a_token_from_the_environment_is_not_printed() -> None:
    with serving("--control-token-env", "TOKEN", token="sesame", TOKEN="sesame") as served:
        assert "controlToken" not in served.ready
        assert served.control("fired") == ""


def test_an_external_switch_can_be_there_from_the_start(host: Host) -> None:
    switches = json.loads(host.control("snapshot"))["switches"]
    assert [(switch["name"], switch["switch_type"]) for switch in switches.values()] == [("LAN", "External")]


def test_a_host_that_is_gone_is_said_in_words(host: Host) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}"
    assert f"no simulated host answers at {url}" in host.refused("fired", HYPERV_SIM_CONTROL=url)


@pytest.mark.parametrize("command", [(), ("arm",), ("refuse",), ("place",), ("snapshot",)])
def test_help_says_what_it_does(command: tuple[str, ...]) -> None:
    environment = {"HYPERV_SIM_CONTROL": "http://127.0.0.1:9", "HYPERV_SIM_CONTROL_TOKEN": "x"}
    ended = CliRunner().invoke(main, ["control", *command, "--help"], env=environment)
    assert ended.exit_code == 0
    assert ended.stdout.startswith("Usage:")
    assert len(ended.stdout.splitlines()) > 5
