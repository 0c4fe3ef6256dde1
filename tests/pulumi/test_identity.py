"""Whose a machine is: components with children of one name, a resource that is renamed, strangers of the same name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab import Lab

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Parent
    from tests.pulumi.conftest import LabOn

COMPONENTS = """
import pulumi
import pulumi_nestedlab as lab


class Lab(pulumi.ComponentResource):
    def __init__(self, kind, name, machine):
        super().__init__(f"school:index:{kind}", name)
        child = pulumi.ResourceOptions(parent=self)
        lab.NestedHyperVHost("hv1", name=machine, os_disk=lab.Disk(size_gib=40), opts=child)


Lab("Storage", "a", "storage-hv1")
Lab("Compute", "a", "compute-hv1")
"""

PROGRAM = """
import pulumi
import pulumi_nestedlab as lab

lab.NestedHyperVHost({name!r}, name="hv1", os_disk=lab.Disk(size_gib=80), opts=pulumi.ResourceOptions({options}))
"""


def test_components_with_children_of_one_name_have_a_machine_each(parent: Parent, lab_on: LabOn) -> None:
    before = parent.snapshot()
    lab = lab_on(parent, COMPONENTS)
    lab.up()
    assert sorted(parent.machines) == ["compute-hv1", "storage-hv1"]
    notes = {parent.machine(name).notes for name in parent.machines}
    assert len(notes) == 2
    lab.expect_no_changes()
    lab.destroy()
    assert parent.snapshot() == before


def test_a_resource_that_is_renamed_with_an_alias_keeps_its_machine(parent: Parent, lab_on: LabOn) -> None:
    lab = lab_on(parent, PROGRAM.format(name="old", options=""))
    lab.up()
    created_id = parent.machine("hv1").id
    lab.write(PROGRAM.format(name="new", options='aliases=[pulumi.Alias(name="old")]'))
    assert lab.up().steps == {"new": ["update"]}
    assert parent.machine("hv1").id == created_id
    assert parent.machine("hv1").notes.startswith("[nestedlab owner=lab/dev/new stack=")
    lab.expect_no_changes()


def urn(kind: str, name: str) -> str:
    return f"urn:pulumi:dev::lab::pulumi-python:dynamic/nestedlab:{kind}::{name}"


BOTH = """
import pulumi_nestedlab as lab

net = lab.NatSwitch("net", prefix="192.168.50.0/24")
lab.NestedHyperVHost("hv1", os_disk=lab.Disk(size_gib=80), switch=net.name)
"""
TWICE = """
import pulumi
import pulumi_nestedlab as lab

for number, name in enumerate(("kept", "replaced")):
    opts = pulumi.ResourceOptions(delete_before_replace=False) if name == "kept" else None
    net = lab.NatSwitch(f"net-{name}", prefix=f"192.168.{50 + number}.0/24", opts=opts)
    lab.NestedHyperVHost(name, os_disk=lab.Disk(size_gib=80), switch=net.name, opts=opts)
"""
FORCED = [
    ("NestedHyperVHost", "kept"),
    ("NatSwitch", "net-kept"),
    ("NestedHyperVHost", "replaced"),
    ("NatSwitch", "net-replaced"),
]


def test_a_forced_replacement_ends_with_what_the_state_describes(parent: Parent, lab_on: LabOn) -> None:
    before = parent.snapshot()
    lab = lab_on(parent, TWICE)
    lab.up()
    first = {name: parent.machine(name).id for name in parent.machines}
    warnings = lab.up(*[f"--replace={urn(*forced)}" for forced in FORCED]).messages("warning")
    assert {name for name in first if parent.machine(name).id == first[name]} == {"kept"}
    assert len([text for text in warnings if "is kept: the replacement was created before" in text]) == 2
    lab.expect_no_changes()
    for name in first:
        lab.run("state", "taint", urn("NestedHyperVHost", name), "--yes")
    lab.up()
    lab.refresh("--expect-no-changes")
    lab.destroy()
    assert parent.snapshot() == before


def test_the_same_program_with_another_backend_takes_nothing_over(
    parent: Parent, lab_on: LabOn, tmp_path: Path
) -> None:
    lab = lab_on(parent, BOTH)
    lab.up()
    before = parent.snapshot()
    (tmp_path / "theirs").mkdir()
    other = Lab(lab.folder, {**lab.environment, "PULUMI_BACKEND_URL": f"file://{tmp_path / 'theirs'}"})
    other.init()
    failed = other.up(fails=True)
    assert "is not of this stack" in failed.text
    assert "Traceback" not in failed.text
    assert not {"hv1", "net"} & other.resources().keys()
    other.destroy()
    assert parent.snapshot() == before

    other.environment["NESTEDLAB_ADOPT"] = "true"
    other.up()
    assert "another stack, lab/dev/hv1, has taken it over" in lab.destroy().text
    other.refresh("--expect-no-changes")
    assert parent.machines == ["hv1"]


def test_a_target_on_a_new_stack_works_and_the_next_up_completes_the_mark(parent: Parent, lab_on: LabOn) -> None:
    lab = lab_on(parent, BOTH)
    lab.up("--target", urn("NatSwitch", "net"))
    assert parent.switch("net").notes == "[nestedlab owner=lab/dev/net]"
    lab.up()
    assert "stack=" in parent.switch("net").notes
    lab.preview("--expect-no-changes")


def test_a_state_that_is_imported_into_a_second_stack_is_told_of_and_a_renamed_stack_keeps_its_machines(
    parent: Parent, lab_on: LabOn
) -> None:
    lab = lab_on(parent, BOTH)
    lab.up()
    machine = parent.machine("hv1").id
    lab.run("stack", "rename", "prod")
    lab.stack = "prod"
    run = lab.up()
    assert "the state of lab/prod comes from lab/dev" in run.text
    assert (parent.machine("hv1").id, "owner=lab/prod/hv1 stack=" in parent.machine("hv1").notes) == (machine, True)
    lab.preview("--expect-no-changes")
    lab.run("state", "delete", urn("StackIdentity", "nestedlab").replace(":dev:", ":prod:"), "--yes")
    assert lab.up().changes == {"create": 1, "update": 2, "same": 1}
    lab.refresh("--expect-no-changes")
    assert parent.machine("hv1").id == machine
