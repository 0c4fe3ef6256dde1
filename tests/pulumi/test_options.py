"""Options that name properties: in Python's spelling, and a name that no property has is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from pulumi_nestedlab import Disk, NestedHyperVHost

if TYPE_CHECKING:
    from tests.conftest import Parent
    from tests.pulumi.conftest import LabOn

PROGRAM = """
import pulumi
import pulumi_nestedlab as lab

lab.NestedHyperVHost(
    "hv1",
    memory_mib={memory},
    os_disk=lab.Disk(size_gib={size}),
    opts=pulumi.ResourceOptions({options}),
)
"""
IGNORED = 'ignore_changes=["memory_mib", "os_disk.size_gib"], additional_secret_outputs=["vm_id"]'


def test_options_take_names_in_pythons_spelling(parent: Parent, lab_on: LabOn) -> None:
    lab = lab_on(parent, PROGRAM.format(memory=2048, size=40, options=IGNORED))
    lab.up()
    assert "ciphertext" in str(lab.resources()["hv1"]["outputs"]["vmId"])
    lab.write(PROGRAM.format(memory=4096, size=41, options=IGNORED))
    lab.preview("--expect-no-changes")


def test_an_option_that_names_no_property_is_an_error(parent: Parent, lab_on: LabOn) -> None:
    lab = lab_on(parent, PROGRAM.format(memory=2048, size=40, options='ignore_changes=["memory"]'))
    failed = lab.preview(fails=True)
    assert "ignore_changes: there is no property 'memory'; did you mean 'memory_mib'?" in failed.text
    assert "Traceback" not in failed.text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ignore_changes": ["os_disk.size"]}, "ignore_changes: there is no property 'size'; did you mean 'size_gib'"),
        ({"additional_secret_outputs": ["vmid"]}, "additional_secret_outputs: there is no property 'vmid'; did you"),
    ],
)
def test_the_nearest_property_is_named_in_each_option_and_in_parts(options: dict[str, Any], message: str) -> None:
    with pytest.raises(pulumi.RunError, match=message):
        NestedHyperVHost("hv1", os_disk=Disk(size_gib=40), opts=pulumi.ResourceOptions(**options))
