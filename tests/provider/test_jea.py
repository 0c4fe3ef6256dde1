"""An endpoint that shows what docs/nestedlab.psrc shows will do for whole lives of both resources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from hyperv_sim.powershell.role import read_role
from hyperv_sim.powershell.shell import HostShell
from hyperv_sim.records import Record, Shell, Statement
from hyperv_sim.state import disks
from nestedlab.errors import RefusedError

if TYPE_CHECKING:
    from threading import Event

    from tests.conftest import Parent
    from tests.provider.conftest import NewProvider, Provider, Thing

ROLE = Path(__file__).resolve().parents[2].joinpath("docs", "nestedlab.psrc").read_text(encoding="utf-8")
IMAGE, GIVEN, ISO = r"D:\Images\ws2022.vhdx", r"D:\Images\given.vhdx", r"D:\Images\tools.iso"


@dataclass
class Watched:
    """A shell that notes what ran."""

    shell: Shell
    statements: list[Statement] = field(default_factory=list)

    @property
    def commands(self) -> set[str]:
        """The names of the commands, in lower case."""
        return {command.name.lower() for statement in self.statements for command in statement}

    def invoke(self, statements: Sequence[Statement], stop: Event) -> Iterator[Record]:
        self.statements += statements
        return self.shell.invoke(statements, stop)


def restricted(parent: Parent, new_provider: NewProvider) -> tuple[Provider, Watched]:
    """A provider on an endpoint with the role, and the endpoint's shell."""
    shell = Watched(HostShell(parent.host.state, read_role(ROLE)))
    parent.host.register("nestedlab", lambda: shell)
    return new_provider(parent, configurationName="nestedlab"), shell


def prepared(parent: Parent) -> None:
    """Put the files on the host that a whole life needs."""
    for path in (IMAGE, GIVEN):
        disks.place(parent.host.state.files, path)
    parent.host.place(ISO)


def whole_life(provider: Provider) -> None:
    """All that can be asked of both resources, one after the other."""
    parent = provider.parent
    forward = {"external_port": 33890, "internal_address": "192.168.50.10", "internal_port": 3389}
    net = provider.create("switch", forwards=[forward])
    net = provider.update("switch", net, forwards=[{**forward, "external_port": 33891}], notes="ours")
    net = provider.update("switch", net, forwards=[], prefix="192.168.51.0/24", name="lab")

    parts: dict[str, Any] = {
        "os_disk": {"parent": IMAGE, "size_gib": 100},
        "data_disks": [{"size_gib": 5}, {"size_gib": 1, "fixed": True}, {"path": GIVEN}],
        "adapters": [{"name": "LAN", "switch": "lab", "vlan": 5, "mac": "00155D010203"}, {"name": "Spare"}],
        "iso": ISO,
        "tpm": True,
        "baseline": "clean",
        "time_synchronization": False,
    }
    assert provider.validated("machine", **parts) == []
    machine = provider.create("machine", **parts)
    machine = _changed(provider, machine, parts)
    parent.by_hand("Suspend-VM", Name="hv2")
    plain = {"os_disk": parts["os_disk"], "name": "hv2"}
    machine = provider.update("machine", provider.seen("machine", machine), **plain, running=True)
    provider.delete("machine", machine)
    provider.delete("switch", net)


def _with_a_baseline_of_another_name(provider: Provider, machine: Thing) -> Thing:
    """The machine once somebody has given its baseline another name."""
    (taken,) = provider.parent.by_hand("Get-VMSnapshot", VMName="hv1")
    provider.parent.by_hand("Rename-VMSnapshot", VMName="hv1", Name=taken.adapted_properties["Name"], NewName="theirs")
    return provider.seen("machine", machine)


def _changed(provider: Provider, machine: Thing, parts: dict[str, Any]) -> Thing:
    """One change after the other; what each leaves out is removed or given back."""
    grown = [{"size_gib": 6}, *parts["data_disks"][1:]]
    adapters = [{"name": "LAN", "trunk": "5-9", "native_vlan": 5}, {"name": "New", "device_naming": True}]
    machine = provider.update("machine", _with_a_baseline_of_another_name(provider, machine), **parts)
    changes: tuple[dict[str, Any], ...] = (
        {"baseline": "clean", "reset": "monday"},
        {"baseline": "second", "reset": "monday", "processors": 3, "memory_mib": 8192},
        {"baseline": None, "reset": None, "iso": ""},
        {"data_disks": grown},
        {"adapters": adapters, "time_synchronization": True, "notes": "ours", "secure_boot": False},
        {"adapters": None, "switch": "lab", "tpm": False, "data_disks": []},
        {"adapters": None, "switch": "", "name": "hv2"},
    )
    for change in changes:
        parts |= change
        machine = provider.update("machine", machine, **parts)
        assert provider.read("machine", machine) == machine
    return machine


def test_the_role_lets_all_through_that_a_lab_needs(parent: Parent, new_provider: NewProvider) -> None:
    prepared(parent)
    before = _left(parent)
    provider, shell = restricted(parent, new_provider)
    whole_life(provider)
    assert provider.warnings == []
    assert _left(parent) == before
    assert read_role(ROLE).commands.keys() - shell.commands == {"get-childitem"}, (
        "nestedlab orphans lists files: its tests"
    )


def test_an_error_is_recognised_whatever_a_role_calls_the_command(parent: Parent, new_provider: NewProvider) -> None:
    """A role renames the functions of CIM; their errors end in New-NetNat_ and 32 digits."""
    provider, _ = restricted(parent, new_provider)
    parent.host.refuse("New-NetNat", "Windows System Error 87", "InvalidArgument")
    with pytest.raises(
        RefusedError, match=r"look at Get-NetNat there\. \[Windows System Error 87,New-NetNat_[0-9a-f]{32}, "
    ):
        provider.create("switch")
    parent.host.allow("New-NetNat")

    net = provider.create("switch")
    parent.host.refuse("Remove-NetNat", "CmdletizationQuery_NotFound_Name", "ObjectNotFound")  # somebody was quicker
    provider.delete("switch", net)
    assert list(parent.host.state.switches) == []


def test_a_role_that_is_too_narrow_says_what_it_hides(parent: Parent, new_provider: NewProvider) -> None:
    role = ROLE.replace("            @{ Name = 'Generation'; ValidateSet = '2' }\n", "")
    parent.host.restrict("nestedlab", role)
    provider = new_provider(parent, configurationName="nestedlab")
    with pytest.raises(RefusedError, match=r"let the role show it .*\[NamedParameterNotFound,New-VM, InvalidArgument"):
        provider.create("machine")


def _left(parent: Parent) -> dict[str, Any]:
    """The host as it is, of its files the paths: a given disk was written to."""
    snapshot = cast("dict[str, Any]", parent.snapshot())
    return {**snapshot, "files": sorted(snapshot["files"]["entries"])}
