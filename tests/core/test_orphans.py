"""What on a host is a stack's and in no state of it, from the host's answer alone."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest

from nestedlab.declare import Resource
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.nat_switch.table import NatSwitch
from nestedlab.orphans import Entry, Orphans, StackRecord, judge, survey
from nestedlab.pipeline import ErrorRecord, Facts, PSObject, Step

OURS, THEIRS = "5ca1ab1e", "0ddba11"
HV1 = UUID("1f0c2b9e-4d7a-4f00-8000-000000000001")
HV2 = UUID("2f0c2b9e-4d7a-4f00-8000-000000000002")
NET = UUID("8a1b0c2d-3e4f-4f00-8000-000000000003")
FOLDER = "D:\\Disks"
OS_DISK = f"{FOLDER}\\hv1-os-1f0c2b9e4d7a.vhdx"
RECORD = StackRecord("lab", "dev", frozenset({OURS}))


def mark(owner: str = "lab/dev/hv1", stack: str = OURS, **more: str) -> str:
    parts = {"stack": stack, **more} if stack else {}
    return " ".join([f"[nestedlab owner={owner}", *(f"{name}={value}" for name, value in parts.items())]) + "]"


def machine(notes: str, identity: UUID = HV1, name: str = "hv1") -> PSObject:
    return PSObject("VirtualMachine", {"Id": str(identity), "Name": name, "Notes": notes})


def switch(notes: str, identity: UUID = NET) -> PSObject:
    return PSObject("VMSwitch", {"Id": str(identity), "Name": "lab-net", "Notes": notes})


def drive(path: str, of: UUID = HV1) -> PSObject:
    where = {"ControllerNumber": 0, "ControllerLocation": 0}
    return PSObject("HardDiskDrive", {"VMId": str(of), "Path": path, **where})


def file(path: str) -> PSObject:
    return PSObject("FileInfo", {"FullName": path})


def nat(name: str) -> PSObject:
    return PSObject("MSFT_NetNat", {"Name": name})


def entry(kind: type[Resource] = NestedHyperVHost, identity: UUID = HV1, **values: Any) -> Entry:
    return Entry(kind, identity, {"name": "hv1", "owner": "lab/dev/hv1", "stack_id": OURS, **values})


def with_state(*entries: Entry) -> StackRecord:
    return StackRecord("lab", "dev", frozenset({OURS}), entries)


def with_earlier(*entries: Entry) -> StackRecord:
    return StackRecord("lab", "dev", frozenset({OURS}), (), entries)


def judged(record: StackRecord, *objects: PSObject) -> Orphans:
    return judge(record, Facts(objects), None)


def asked(record: StackRecord, *answers: Facts) -> list[Step]:
    plan = survey(record)
    steps = [next(plan)]
    with suppress(StopIteration):
        steps.extend(plan.send(answer) for answer in answers)
    return steps


def test_a_machine_and_a_switch_with_the_stacks_identity_are_its_own() -> None:
    found = judged(RECORD, machine(mark()), switch(mark("lab/dev/lab-net", creation="2")), drive(OS_DISK))
    assert [(orphan.what, orphan.entry.id) for orphan in found.own] == [("machine", HV1), ("switch", NET)]
    assert found.own[0].files == (OS_DISK,)
    assert found.own[1].entry.values["creation"] == 2
    assert found.doubtful == ()


def test_what_the_state_has_is_no_orphan() -> None:
    state = with_state(entry(), entry(NatSwitch, NET))
    assert judged(state, machine(mark()), switch(mark("lab/dev/lab-net"))) == Orphans()


@pytest.mark.parametrize(
    "notes",
    [
        "",
        "by hand",
        mark("lab/prod/hv1", THEIRS),
        mark(id="ffffffffffff"),  # a copy, which has the notes of another machine
    ],
)
def test_what_others_have_is_never_listed(notes: str) -> None:
    assert judged(RECORD, machine(notes), drive(OS_DISK)) == Orphans()


@pytest.mark.parametrize("notes", [mark(stack=THEIRS), mark(stack="")])
def test_the_stacks_name_alone_leaves_a_doubt(notes: str) -> None:
    found = judged(RECORD, machine(notes))
    assert found.own == ()
    assert [orphan.name for orphan in found.doubtful] == ["hv1"]


def test_a_stack_that_has_no_identity_owns_nothing() -> None:
    assert judged(StackRecord("lab", "dev"), machine(mark(stack=""))).own == ()


def test_a_given_disk_and_one_to_be_kept_do_not_go_with_a_machine() -> None:
    kept = f"{FOLDER}\\hv1-data1-1f0c2b9e4d7a.vhdx"
    data = {"location": 1, "size_gib": 10, "keep": True}
    record = with_earlier(entry(data_disks=[data], kept_disks=[kept]))
    images = drive("D:\\Images\\golden.vhdx")
    second = PSObject("HardDiskDrive", {**drive(kept).properties, "ControllerLocation": 1})
    assert judged(record, machine(mark()), images, second).own[0].files == ()


def test_a_disk_whose_machine_is_gone_may_be_anybodys() -> None:
    assert judged(RECORD, file(OS_DISK)) == Orphans(loose_disks=(OS_DISK,))


def test_a_disk_that_an_earlier_state_has_made_is_the_stacks() -> None:
    found = judged(with_earlier(entry(made_disks=[OS_DISK.lower()])), file(OS_DISK))
    assert [orphan.files for orphan in found.own] == [(OS_DISK,)]
    assert found.own[0].entry.values["made_disks"] == [OS_DISK]
    assert found.loose_disks == ()


@pytest.mark.parametrize(
    ("record", "objects"),
    [
        (RECORD, [machine("by hand")]),  # its machine is there
        (RECORD, [machine("by hand", HV2), drive(OS_DISK, HV2)]),  # another machine has it
        (RECORD, [machine("by hand", HV2), drive(OS_DISK.replace(".vhdx", f"_{HV2}.avhdx"), HV2)]),  # and a checkpoint
        (with_state(entry(made_disks=[OS_DISK])), []),  # the state has it: `destroy` removes it
        (with_earlier(entry(kept_disks=[OS_DISK])), []),  # it was to be kept
    ],
)
def test_a_disk_that_somebody_needs_is_not_loose(record: StackRecord, objects: list[PSObject]) -> None:
    assert judged(record, file(OS_DISK), *objects) == Orphans()


@pytest.mark.parametrize("name", ["golden.vhdx", "hv1-os.vhdx", "backup-20260101123456.vhdx", "x-1f0c2b9e4d7a.vhdx"])
def test_a_file_of_another_name_is_nobodys_business(name: str) -> None:
    assert judged(RECORD, file(f"{FOLDER}\\{name}")) == Orphans()


def test_a_nat_network_is_the_stacks_if_an_earlier_state_has_its_switch() -> None:
    ours, other = nat("lab-net-8a1b0c2d3e4f"), nat("lab-net-aaaaaaaaaaaa")
    record = with_earlier(entry(NatSwitch, NET, prefix="192.168.50.0/24"))
    (found,) = judged(record, ours, other).own
    assert (found.what, found.name) == ("NAT network", "lab-net-8a1b0c2d3e4f")
    assert "prefix" not in found.entry.values  # another switch may have that network by now
    assert judged(record, ours, switch("by hand")) == Orphans()
    assert judged(RECORD, ours) == Orphans()


def test_folders_of_disks_are_those_of_the_host_of_the_state_and_of_orphans() -> None:
    elsewhere = drive("E:\\Labs\\hv1-os-1f0c2b9e4d7a.vhdx")
    host = PSObject("VMHost", {"VirtualHardDiskPath": FOLDER})
    record = with_state(entry(identity=HV2, made_disks=["F:\\hv2\\hv2-os-2f0c2b9e4d7a.vhdx", OS_DISK.lower()]))
    first, second = asked(record, Facts((host, machine(mark()), elsewhere)))
    assert first.only_reads
    assert second.only_reads
    folders = {pipeline.cmdlets[0].parameters["LiteralPath"] for pipeline in second.pipelines}
    assert {str(folder).lower() for folder in folders} == {"d:\\disks", "f:\\hv2", "e:\\labs"}


def test_nat_networks_are_asked_for_if_an_earlier_state_has_a_switch() -> None:
    steps = asked(with_earlier(entry(NatSwitch, NET)), Facts())
    assert [str(pipeline) for pipeline in steps[1].pipelines] == ["Get-NetNat"]


def test_files_that_the_endpoint_hides_are_noted() -> None:
    hidden = ErrorRecord("CommandNotFoundException", "ObjectNotFound", "no such command", "Get-ChildItem")
    (note,) = judge(RECORD, Facts((machine(mark()),), (hidden,)), None).notes
    assert "nestedlab.psrc" in note
