"""Whose a machine is: components with children of one name, a resource that is renamed, strangers of the same name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
    lab.preview("--expect-no-changes")
    lab.refresh("--expect-no-changes")
    lab.destroy()
    assert parent.snapshot() == before


def test_a_resource_that_is_renamed_with_an_alias_keeps_its_machine(parent: Parent, lab_on: LabOn) -> None:
    lab = lab_on(parent, PROGRAM.format(name="old", options=""))
    lab.up()
    created_id = parent.machine("hv1").id
    lab.write(PROGRAM.format(name="new", options='aliases=[pulumi.Alias(name="old")]'))
    assert lab.up().steps == {"new": ["update"]}
    assert parent.machine("hv1").id == created_id
    assert parent.machine("hv1").notes == "[nestedlab owner=lab/dev/new]"
    lab.preview("--expect-no-changes")
    lab.refresh("--expect-no-changes")


def test_a_strangers_machine_of_the_same_name_is_left_alone(parent: Parent, lab_on: LabOn) -> None:
    parent.by_hand("New-VM", Name="hv1", Generation=2, NoVHD=True, MemoryStartupBytes=2**30)
    before = parent.snapshot()
    lab = lab_on(parent, PROGRAM.format(name="hv1", options=""))
    failed = lab.up(fails=True)
    assert "the host already has a machine named 'hv1'" in failed.text
    assert "it was not made by nestedlab" in failed.text
    assert "Traceback" not in failed.text
    assert parent.snapshot() == before
    assert "hv1" not in lab.resources()
