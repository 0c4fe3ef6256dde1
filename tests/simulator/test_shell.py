"""What a table cannot show: waiting, stopping, hooks, and a host exactly as before."""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from hyperv_sim import fidelity
from hyperv_sim.contract import load
from hyperv_sim.fidelity_page import page, source, summary
from hyperv_sim.host import SimulatedHost, new_shells
from hyperv_sim.powershell.registry import simulated
from hyperv_sim.records import Command, InvocationFailedError
from hyperv_sim.state.enumerations import VMState
from hyperv_sim.state.windows import WINDOWS

if TYPE_CHECKING:
    from tests.simulator.conftest import Answer, Talk

PATIENCE_SECONDS = 10


def test_script_text_is_refused_as_without_a_language(talk: type[Talk]) -> None:
    with pytest.raises(InvocationFailedError) as refused:
        list(talk().shell.invoke([[Command("Get-VM; Get-VM", is_script=True)]], Event()))
    assert refused.value.error.fully_qualified_error_id == "ScriptsNotAllowed"


@pytest.mark.parametrize(
    ("groups", "statement", "refused"),
    [
        (("Remote Management Users",), "Get-VM", "Unspecified,Microsoft.HyperV.PowerShell.Commands.GetVM"),
        (("Remote Management Users",), "New-VM hv1", "Unspecified,Microsoft.HyperV.PowerShell.Commands.NewVM"),
        (("Remote Management Users", "Hyper-V Administrators"), "New-VM hv1", None),
        (
            ("Remote Management Users", "Hyper-V Administrators"),
            "New-NetNat n -InternalIPInterfaceAddressPrefix 192.168.50.0/24",
            "Windows System Error 5,New-NetNat",
        ),
        (("Administrators",), "New-NetNat n -InternalIPInterfaceAddressPrefix 192.168.50.0/24", None),
    ],
)
def test_a_user_without_the_rights_is_refused_and_changes_nothing(
    talk: type[Talk], groups: tuple[str, ...], statement: str, refused: str | None
) -> None:
    host = talk(groups=groups)
    before = host.host.snapshot()
    answer = host(statement)
    assert [error.fully_qualified_error_id for error in answer.errors] == ([refused] if refused else [])
    assert (host.host.snapshot() == before) == bool(refused)


def test_what_is_not_known_of_a_user_without_rights_is_refused(talk: type[Talk]) -> None:
    host = talk(groups=("Remote Management Users", "Hyper-V Administrators"))
    failed = host("Get-NetNat").failed
    assert failed is not None
    assert failed.fully_qualified_error_id == "NotSimulated,Get-NetNat"


def test_a_guest_that_never_answers_holds_no_one_else_up_and_the_wait_can_be_stopped(talk: type[Talk]) -> None:
    host = talk()
    host("New-VM hv1; Start-VM hv1")
    host.machine("hv1").guest.manner = "absent"
    stop = Event()
    answers: list[Answer] = []
    waiting = Thread(target=lambda: answers.append(host("Stop-VM hv1 -Force", stop)))
    waiting.start()
    assert host("Get-VM hv1 | Select-Object State").output == [{"State": ["Running", 2]}]
    stop.set()
    waiting.join(PATIENCE_SECONDS)
    assert [answer.ids for answer in answers] == [[]]
    assert host.machine("hv1").state is VMState.Running


def test_turning_a_machine_off_ends_another_sessions_wait(talk: type[Talk]) -> None:
    host = talk()
    host("New-VM hv1; Start-VM hv1")
    host.machine("hv1").guest.manner = "absent"
    waiting = Thread(target=host, args=("Stop-VM hv1 -Force",))
    waiting.start()
    assert host("Stop-VM hv1 -TurnOff").ids == []
    waiting.join(PATIENCE_SECONDS)
    assert not waiting.is_alive()


def test_a_machine_is_seen_stopping_while_its_guest_shuts_down(talk: type[Talk]) -> None:
    host = talk()
    host("New-VM hv1; Start-VM hv1")
    host.machine("hv1").guest.shutdown_seconds = PATIENCE_SECONDS
    stop = Event()
    waiting = Thread(target=host, args=("Stop-VM hv1", stop))
    waiting.start()
    for _ in range(PATIENCE_SECONDS * 1000):
        if host.machine("hv1").state is VMState.Stopping:
            break
        stop.wait(0.001)
    assert host("Start-VM hv1").ids == ["InvalidState,Microsoft.HyperV.PowerShell.Commands.StartVM"]
    stop.set()
    waiting.join(PATIENCE_SECONDS)
    assert host.machine("hv1").state is VMState.Off


def test_a_stopped_invocation_runs_no_further_statement(talk: type[Talk]) -> None:
    host, stop = talk(), Event()
    stop.set()
    assert host("New-VM hv1", stop).output == []
    assert host("Get-VM").output == []


def test_a_host_is_exactly_as_before_when_all_that_was_made_is_gone(talk: type[Talk]) -> None:
    host = talk()
    before = host.host.snapshot()
    host("New-VM hv1; Start-VM hv1")
    assert host.host.snapshot() != before
    host("Stop-VM hv1; Remove-VM hv1 -Force")
    assert host.host.snapshot() == before


def test_a_removed_machines_disk_stays(talk: type[Talk]) -> None:
    host = talk()
    host(r"New-VM hv1 -Path D:\Lab -NewVHDPath os.vhdx -NewVHDSizeBytes 1GB; Remove-VM hv1 -Force")
    left = [file.path for file in host.host.state.files.entries.values() if file.path.startswith("D:")]
    assert r"D:\Lab\hv1\Virtual Hard Disks\os.vhdx" in left
    assert r"D:\Lab\hv1\Virtual Machines" in left
    assert not [path for path in left if path.endswith(".vmcx")]


def test_a_test_can_have_a_cmdlet_refused(talk: type[Talk]) -> None:
    host = talk()
    host("New-VM hv1")
    host.host.refuse("Set-VMProcessor", "AccessDenied", "PermissionDenied")
    answer = host("Set-VMProcessor hv1 -Count 2")
    assert [(error.fully_qualified_error_id, error.category) for error in answer.errors] == [
        ("AccessDenied,Microsoft.HyperV.PowerShell.Commands.SetVMProcessor", "PermissionDenied")
    ]
    host.host.allow("Set-VMProcessor")
    assert host("Set-VMProcessor hv1 -Count 2 -Passthru").output[0]["Count"] == 2


def test_each_statement_reads_a_live_object_at_its_own_time(talk: type[Talk]) -> None:
    host = talk()
    host("New-VM hv1")
    assert [machine["State"] for machine in host("Get-VM; Start-VM hv1; Get-VM").output] == ["Off", "Running"]


def test_two_shells_see_one_host() -> None:
    shells = new_shells("2022", "intel")
    first, second = shells("microsoft.powershell"), shells("Microsoft.PowerShell")
    assert first
    assert second
    list(first.invoke([[Command("New-VM")]], Event()))
    assert len(list(second.invoke([[Command("Get-VM")]], Event()))) == 1


def test_an_endpoint_that_was_not_registered_does_not_exist(talk: type[Talk]) -> None:
    host = SimulatedHost()
    assert host.shells("lab") is None
    host.register("Lab", lambda: talk().shell)
    assert host.shells("lab") is not None


@pytest.mark.parametrize(("windows", "cpu"), [("2012", "intel"), ("2022", "arm")])
def test_a_host_that_never_was_cannot_be_made(windows: str, cpu: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        SimulatedHost(windows, cpu)


@pytest.mark.parametrize("windows", WINDOWS)
def test_every_property_of_every_object_reads_on_every_windows(talk: type[Talk], windows: str) -> None:
    host = talk(windows=windows)
    host("New-VM hv1 -Generation 2 -NewVHDPath a.vhdx -NewVHDSizeBytes 1GB; Add-VMDvdDrive hv1; Start-VM hv1")
    answer = host(
        "Get-VM; Get-VMProcessor hv1; Get-VMMemory hv1; Get-VMFirmware hv1; Get-VMNetworkAdapter hv1; "
        "Get-VMHardDiskDrive hv1; Get-VMHost; Get-VMHostSupportedVersion -Default; Get-VMSecurity hv1; "
        "Get-VMNetworkAdapterVlan hv1; Get-VMDvdDrive hv1; Get-VMScsiController hv1; Get-VMIntegrationService hv1; "
        "Get-CimInstance Win32_Processor; "
        "Get-CimInstance Win32_OperatingSystem; Get-CimInstance Win32_ComputerSystem; Get-Command Get-VM"
    )
    assert answer.ids == []
    assert len(answer.output) == 22


def test_a_part_within_its_machine_is_text_that_names_it(talk: type[Talk]) -> None:
    host = talk()
    (shown,) = host("New-VM hv1").output
    machine = host.machine("hv1")
    text = f"VMNetworkAdapter (Name = 'Network Adapter', VMName = 'hv1') [VMId = '{machine.id}']"
    assert shown["NetworkAdapters"] == [text]
    assert host("Get-VMNetworkAdapterVlan hv1").output[0]["ParentAdapter"] == text


def test_the_fidelity_page_names_every_row_once() -> None:
    lines = page().splitlines()
    assert "| Remove-VM | refused unless Off or Saved" in page()
    assert len(lines) == len(set(lines)) + lines.count("") - 1


@pytest.mark.parametrize("name", sorted(simulated()))
def test_every_cmdlet_says_what_is_simulated_and_from_where_it_is_known(name: str) -> None:
    own = [where for subject, _, where in fidelity.rows() if subject == name]
    assert summary(simulated()[name])
    assert own, "it needs a row of its own in Behaviour: fact(...) beside its code"
    assert all(own)
    assert any(name in load(windows) for windows in WINDOWS), "its signature is not in the reference"


def test_a_behaviour_without_any_source_is_called_unknown() -> None:
    assert source("Get-VM").endswith("behaviour: below")
    assert source("Set-VMHardDiskDrive").endswith("behaviour: unknown")


def test_only_cmdlets_and_parts_of_the_host_have_rows() -> None:
    parts = {"Authentication", "CIM cmdlets", "HTTP", "PSRP", "PowerShell", "WSMan", "Windows"}
    assert {subject for subject, _, _ in fidelity.rows()} <= parts | simulated().keys()


def test_many_sessions_at_once_leave_the_host_as_it_was(talk: type[Talk]) -> None:
    host = talk()
    before = host.host.snapshot()
    mistakes: list[str] = []

    def work(number: int) -> None:
        for turn in range(10):
            name = f"hv{number}x{turn}"
            answer = host(
                f"New-VM {name}; Get-VM {name} | Set-VMProcessor -Count 2; Start-VM {name}; Get-VM | Out-Null"
            )
            mistakes.extend([*answer.ids, *host(f"Stop-VM {name}; Get-VM {name} | Remove-VM -Force").ids])

    workers = [Thread(target=work, args=(number,)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE_SECONDS)
    assert mistakes == []
    assert host.host.snapshot() == before
