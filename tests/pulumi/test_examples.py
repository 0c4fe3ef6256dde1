"""Every example through the real CLI. Names and networks differ, so that one host takes them all, in one stack."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from lab import Lab

from hyperv_sim.state import disks
from hyperv_sim.state.enumerations import OnOffState
from hyperv_sim.state.world import GIB

if TYPE_CHECKING:
    from tests.conftest import NewParent, Parent
    from tests.pulumi.conftest import LabOn

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NAMES = sorted(project.parent.name for project in EXAMPLES.glob("*/Pulumi.yaml"))
ALL = f"""
import runpy

for name in {NAMES!r}:
    runpy.run_path(f"{EXAMPLES}/{{name}}/__main__.py")
"""
IMAGE, CLIENT = "D:\\Images\\ws2022.vhdx", "D:\\Images\\w11.vhdx"
CHOICES = {"image": IMAGE, "serverImage": IMAGE, "clientImage": CLIENT, "switch": "Campus", "rdpPort": "33999"}
MACHINES = [
    "cluster-node1",
    "cluster-node2",
    "containers-host",
    "domain-client1",
    "domain-dc1",
    "domain-hv1",
    "rdp-hv1",
    "spoofing-hv1",
]


def with_images(new_parent: NewParent) -> Parent:
    """A host with two images and two external switches, as an administrator has prepared it."""
    parent = new_parent(parts={"external_switches": ("External", "Campus")})
    files = parent.host.state.files
    for image in (IMAGE, CLIENT):
        disks.place(files, image)
    files.drives["C"] = 2048 * GIB
    return parent


def test_all_examples_go_up_stay_as_asked_and_leave_no_trace(new_parent: NewParent, lab_on: LabOn) -> None:
    parent = with_images(new_parent)
    before = parent.snapshot()
    lab = lab_on(parent, ALL)
    for name, value in CHOICES.items():
        lab.config(name, value)

    up = lab.up()
    assert up.messages("warning") == []
    assert sorted(parent.machines) == MACHINES
    assert all(parent.machine(name).processor.expose_extensions for name in MACHINES)
    assert len(parent.machine("cluster-node2").drives) == 5
    nats = parent.host.state.network.nats.networks
    assert len(nats) == 4  # the cluster's two switches share a NAT
    assert [mapping.external_port for nat in nats for mapping in nat.mappings] == [33999]
    (lan,) = parent.machine("spoofing-hv1").adapters
    assert (lan.switch, lan.mac_spoofing) == (parent.switch("Campus"), OnOffState.On)

    lab.expect_no_changes()
    lab.destroy()
    assert parent.snapshot() == before


@pytest.mark.parametrize("name", NAMES)
def test_an_example_can_be_started_from_as_it_is(
    name: str, new_parent: NewParent, pulumi_cli: Path, pulumi_environment: dict[str, str], tmp_path: Path
) -> None:
    parent = with_images(new_parent)
    project = yaml.safe_load((EXAMPLES / name / "Pulumi.yaml").read_text(encoding="utf-8"))
    assert (project["name"], project["runtime"]) == (f"nestedlab-{name}", "python")
    folder = tmp_path / name
    shutil.copytree(EXAMPLES / name, folder)
    lab = Lab(folder, {**pulumi_environment, **parent.environment})
    lab.init()
    if name == "containers":
        assert "nestedlab-containers:image" in lab.preview(fails=True).text
        lab.config("image", IMAGE)
    preview = lab.preview()
    assert preview.messages("warning") == []
    assert preview.changes.keys() == {"create"}


def test_every_example_says_what_it_is_and_costs() -> None:
    assert len(NAMES) == 5
    for name in NAMES:
        readme = (EXAMPLES / name / "README.md").read_text(encoding="utf-8")
        for heading in ("## What it needs", "## What it costs", "## Run it", "## Inside the guest"):
            assert heading in readme, f"{name}: {heading}"
