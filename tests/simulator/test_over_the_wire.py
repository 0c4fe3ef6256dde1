"""The host as the provider meets it: through real pypsrp, over NTLM with message encryption."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from hyperv_sim.host import SimulatedHost
from hyperv_sim.server import SimulatedServer


@pytest.fixture
def host() -> SimulatedHost:
    return SimulatedHost()


@pytest.fixture
def pool(host: SimulatedHost) -> Iterator[RunspacePool]:
    with SimulatedServer(host.shells) as server:
        address, _, port = server.url.removeprefix("http://").partition(":")
        client = WSMan(
            address,
            port=int(port.partition("/")[0]),
            ssl=False,
            auth="ntlm",
            username=server.username,
            password=server.password,
        )
        with RunspacePool(client) as opened:
            yield opened


def test_a_machine_is_made_set_up_and_read_back_in_one_invocation(pool: RunspacePool) -> None:
    shell = PowerShell(pool)
    shell.add_cmdlet("New-VM").add_parameters({"Name": "hv1", "Generation": 2}).add_statement()
    shell.add_cmdlet("Get-VM").add_parameter("Name", "hv1")
    shell.add_cmdlet("Set-VMProcessor").add_parameters({"Count": 4, "ExposeVirtualizationExtensions": True})
    shell.add_statement()
    shell.add_cmdlet("Get-VMProcessor").add_parameter("VMName", ["hv1"])
    made, processor = shell.invoke()
    assert not shell.streams.error
    assert made.types[0] == "Microsoft.HyperV.PowerShell.VirtualMachine"
    assert made.adapted_properties["State"] == "Off"
    assert processor.adapted_properties["Count"] == 4
    assert processor.adapted_properties["ExposeVirtualizationExtensions"] is True


def test_a_selected_state_is_a_name_and_a_number(pool: RunspacePool) -> None:
    shell = PowerShell(pool)
    shell.add_cmdlet("New-VM").add_cmdlet("Select-Object").add_parameter("Property", ["VMId", "State", "Uptime"])
    (selected,) = shell.invoke()
    assert selected.types[0] == "Selected.Microsoft.HyperV.PowerShell.VirtualMachine"
    state: Any = selected.extended_properties["State"]
    assert (str(state), state.property_sets[0]) == ("Off", 3)


def test_an_error_keeps_its_id_its_category_and_its_target(pool: RunspacePool) -> None:
    shell = PowerShell(pool)
    shell.add_cmdlet("Get-VM").add_parameter("Name", "nobody")
    assert shell.invoke() == []
    (error,) = shell.streams.error
    assert error.fq_error == "InvalidParameter,Microsoft.HyperV.PowerShell.Commands.GetVM"
    assert error.reason == "VirtualizationException"
    assert error.target_name == "nobody"
    assert not shell.had_errors


def test_a_mistake_in_the_only_statement_fails_the_invocation(pool: RunspacePool) -> None:
    shell = PowerShell(pool)
    shell.add_cmdlet("Start-VM").add_parameter("Id", "5d5ee4c5-15f1-4a09-a1a0-6ac3c2e2a0e1")
    shell.invoke()
    assert shell.had_errors
    assert shell.streams.error[0].fq_error == "NamedParameterNotFound,Microsoft.HyperV.PowerShell.Commands.StartVM"


def test_script_text_is_refused(pool: RunspacePool) -> None:
    shell = PowerShell(pool)
    shell.add_script("Get-VM")
    shell.invoke()
    assert [error.fq_error for error in shell.streams.error] == ["ScriptsNotAllowed"]


def test_waiting_for_a_guest_that_never_answers_can_be_stopped(pool: RunspacePool, host: SimulatedHost) -> None:
    machine = PowerShell(pool)
    machine.add_cmdlet("New-VM").add_parameter("Name", "hv1").add_cmdlet("Start-VM")
    machine.invoke()
    (only,) = host.state.machines.values()
    only.guest.manner = "absent"
    waiting = PowerShell(pool)
    waiting.add_cmdlet("Stop-VM").add_parameters({"Name": "hv1", "Force": True})
    waiting.begin_invoke()
    waiting.stop()
    state = PowerShell(pool)
    state.add_cmdlet("Get-VM").add_cmdlet("Select-Object").add_parameter("ExpandProperty", "State")
    assert [str(value) for value in state.invoke()] == ["Running"]
