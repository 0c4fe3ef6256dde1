"""Every example through the real CLI, as two students of a class have them at once on one host."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from lab import Lab

from hyperv_sim.state import disks
from hyperv_sim.state.enumerations import OnOffState, VMState
from hyperv_sim.state.world import GIB
from nestedlab.autonaming import AUTONAMING
from nestedlab.classroom.seat import Seat
from nestedlab.classroom.stack_settings import SEAT, STOPPED

if TYPE_CHECKING:
    from tests.conftest import NewParent, Parent

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NAMES = sorted(project.parent.name for project in EXAMPLES.glob("*/Pulumi.yaml"))
ALL = f"""
import ipaddress, json, runpy

from pulumi import runtime

seat = json.loads(runtime.get_config("nestedlab:seat"))
networks = ipaddress.ip_network(seat["prefix"]).subnets(new_prefix=24)
for name, network in zip({NAMES!r}, networks):
    # One example is all that a student has: here each is in a seat with a part of the network.
    runtime.set_config("nestedlab:seat", json.dumps({{**seat, "prefix": str(network)}}))
    runpy.run_path(f"{EXAMPLES}/{{name}}/__main__.py")
"""
IMAGE, CLIENT = "D:\\Images\\ws2022.vhdx", "D:\\Images\\w11.vhdx"
CHOICES = {"image": IMAGE, "serverImage": IMAGE, "clientImage": CLIENT, "switch": "Campus"}
ANNA = Seat(number=1, id="anna", name="Anna", parent="hv01", prefix="10.9.0.0/21", first_port=40000, last_port=40009)
BEN = Seat(number=2, id="ben", name="Ben", parent="hv01", prefix="10.9.8.0/21", first_port=40010, last_port=40019)
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


def configure(lab: Lab, settings: dict[str, Any]) -> None:
    """Give a stack settings, all at once: each `pulumi config set` would be a process."""
    file = lab.folder / f"Pulumi.{lab.stack}.yaml"
    kept = yaml.safe_load(file.read_text(encoding="utf-8"))
    file.write_text(yaml.safe_dump({**kept, "config": {**kept.get("config", {}), **settings}}), encoding="utf-8")


def student(seat: Seat, folder: Path, environment: dict[str, str]) -> Lab:
    """Make a student's stack of all examples, as a class does."""
    lab = Lab(folder, environment, seat.id)
    lab.write(ALL)
    lab.init()
    of_class = {SEAT: seat.model_dump(by_alias=True), AUTONAMING: {"pattern": "${name}-${stack}"}}
    configure(lab, {**CHOICES, **of_class})
    return lab


def test_all_examples_go_up_for_two_students_at_once_stay_as_asked_and_leave_no_trace(
    new_parent: NewParent, pulumi_cli: Path, pulumi_environment: dict[str, str], tmp_path: Path
) -> None:
    parent = with_images(new_parent)
    before = parent.snapshot()
    anna, ben = (student(seat, tmp_path, {**pulumi_environment, **parent.environment}) for seat in (ANNA, BEN))
    configure(ben, {"rdpPort": 33999})

    with ThreadPoolExecutor() as at_once:
        ups = list(at_once.map(Lab.up, (anna, ben)))
    assert [up.messages("warning") for up in ups] == [[], []]
    assert sorted(parent.machines) == sorted(f"{name}-{seat.id}" for name in MACHINES for seat in (ANNA, BEN))
    assert all(parent.machine(name).processor.expose_extensions for name in parent.machines)
    assert len(parent.machine("cluster-node2-ben").drives) == 5
    nats = parent.host.state.network.nats.networks
    assert len(nats) == 8  # four for each: the cluster's two switches share a NAT
    assert all(any(nat.internal_prefix.subnet_of(IPv4Network(seat.prefix)) for seat in (ANNA, BEN)) for nat in nats)
    assert sorted(mapping.external_port for nat in nats for mapping in nat.mappings) == [33999, 40000]
    (lan,) = parent.machine("spoofing-hv1-anna").adapters
    assert (lan.switch, lan.mac_spoofing) == (parent.switch("Campus"), OnOffState.On)
    anna.expect_no_changes()

    configure(ben, {STOPPED: True})
    assert ben.up().changes["update"] == len(MACHINES)
    off = [name for name in parent.machines if parent.machine(name).state is VMState.Off]
    assert sorted(off) == [f"{name}-ben" for name in MACHINES]

    with ThreadPoolExecutor() as at_once:
        list(at_once.map(Lab.destroy, (anna, ben)))
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
