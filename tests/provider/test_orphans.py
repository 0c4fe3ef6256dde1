"""What a stack has on a host and no state knows: found and removed over real sessions, through the role of docs/."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.provider.conftest import STACK
from tests.provider.test_jea import restricted

from nestedlab.machine.table import NestedHyperVHost
from nestedlab.nat_switch.table import NatSwitch
from nestedlab.orphans import Entry, Orphans, StackRecord, judge, survey
from nestedlab.perform import perform

if TYPE_CHECKING:
    from tests.conftest import Parent
    from tests.provider.conftest import NewProvider, Provider, Thing

RECORD = StackRecord("lab", "dev", frozenset({STACK}))


def found_by(provider: Provider, record: StackRecord = RECORD) -> Orphans:
    with provider.sessions.borrow() as runner:
        return judge(record, perform(survey(record), runner, lambda _: None), None)


def remove(provider: Provider, orphans: Orphans) -> None:
    for orphan in orphans.own:
        provider.plain.delete(orphan.entry.kind, str(orphan.entry.id), orphan.entry.values)


def entries(machine: Thing, net: Thing) -> tuple[Entry, Entry]:
    return Entry(NestedHyperVHost, machine.id, machine.values), Entry(NatSwitch, net.id, net.values)


def test_a_lab_that_no_state_knows_is_removed_through_the_role(parent: Parent, new_provider: NewProvider) -> None:
    provider, shell = restricted(parent, new_provider)
    before = parent.snapshot()
    provider.create("switch")
    provider.create("machine", switch="lab-net", data_disks=[{"size_gib": 10}])
    found = found_by(provider)
    assert [orphan.what for orphan in found.own] == ["machine", "switch"]
    assert len(found.own[0].files) == 2
    remove(provider, found)
    assert parent.snapshot() == before
    assert provider.warnings == []
    assert "get-childitem" in shell.commands


def test_what_an_earlier_state_has_is_removed_but_for_what_is_kept(parent: Parent, provider: Provider) -> None:
    net = provider.create("switch")
    machine = provider.create("machine", data_disks=[{"size_gib": 10, "keep": True}])
    record = StackRecord("lab", "dev", frozenset({STACK}), (), entries(machine, net))
    with parent.at_prompt() as run:
        run("Stop-VM", Name="hv1", TurnOff=True, Force=True)
        run("Remove-VM", Name="hv1", Force=True)
    provider.delete("switch", net)
    parent.by_hand("New-NetNat", Name=net.values["nat_name"], InternalIPInterfaceAddressPrefix="192.168.50.0/24")
    found = found_by(provider, record)
    assert [orphan.what for orphan in found.own] == ["disks of a machine that is gone", "NAT network"]
    remove(provider, found)
    assert found_by(provider, record) == Orphans()
    (kept,), (made,) = machine.values["kept_disks"], machine.values["made_disks"]
    assert parent.host.state.files.find(kept)
    assert not parent.host.state.files.find(made)
    assert parent.by_hand("Get-NetNat") == []


def test_a_machine_that_another_state_has_taken_over_since_is_left(parent: Parent, provider: Provider) -> None:
    provider.create("machine")
    found = found_by(provider)
    parent.by_hand("Set-VM", Name="hv1", Notes="[nestedlab owner=lab/dev/hv1 stack=0ddba11 creation=2]")
    remove(provider, found)
    assert parent.machines == ["hv1"]
    assert "another stack" in provider.warnings[0]
