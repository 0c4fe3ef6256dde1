"""Whatever inputs a program has, in whatever spelling: up, nothing to preview, nothing that has drifted."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from hyperv_sim.state.disks import place

if TYPE_CHECKING:
    from tests.conftest import Parent
    from tests.pulumi.conftest import LabOn

PROGRAM = """
import json
from pathlib import Path

import pulumi
import pulumi_nestedlab as lab

resources = json.loads(Path("lab.json").read_text())
nets = [lab.NatSwitch(name, forwards=[lab.PortForward(**forward) for forward in inputs.pop("forwards")], **inputs)
        for name, inputs in resources["switches"].items()]
for name, inputs in resources["machines"].items():
    parts = {"os_disk": lab.Disk(**inputs.pop("os_disk")),
             "data_disks": [lab.DataDisk(**disk) for disk in inputs.pop("data_disks")],
             "adapters": [lab.Adapter(**adapter) for adapter in inputs.pop("adapters")]}
    lab.NestedHyperVHost(name, **parts, **inputs, opts=pulumi.ResourceOptions(depends_on=nets))
"""
MACHINE: dict[str, list[Any]] = {
    "processors": [1, 2, 4],
    "processor_weight": [1, 100],
    "processor_limit": [50, 100],
    "memory_mib": [512, 4096],
    "secure_boot": [True, False],
    "secure_boot_template": ["MicrosoftWindows", "MicrosoftUEFICertificateAuthority"],
    "tpm": [True, False],
    "time_synchronization": [True, False],
    "running": [True, False],
    "on_power_off": ["restart", "fail"],
    "automatic_start": ["Nothing", "Start"],
    "automatic_start_delay": [0, 30],
    "automatic_stop": ["TurnOff", "ShutDown"],
    "baseline": [None, "clean"],
    "notes": ["", "two\nlines", "it's 'Grüße'"],
    "os_disk": [{"size_gib": 80}, {"parent": "c:/IMAGES/one.VHDX"}, {"size_gib": 50, "parent": r"C:\Images\one.vhdx"}],
    "data_disks": [
        [],
        [{"size_gib": 5}, {"size_gib": 1, "fixed": True}],
        [{"parent": "C:/images/ONE.vhdx", "location": 9}],
    ],
    "adapters": [
        [{"name": "lan", "vlan": 12, "switch": "NET-A"}, {"name": "wan", "mac": "00-15-5d-{number:02}-02-03"}],
        [{"name": "lan", "trunk": "20-22,10", "native_vlan": 5, "device_naming": True}],
    ],
}
SWITCH: dict[str, list[Any]] = {
    "prefix": ["{network}.77/24", "{network}.0/25"],
    "gateway": [None, "{network}.9"],
    "notes": ["", "two\r\nlines"],
    "forwards": [[], [{"external_port": 3389, "internal_address": "{network}.5"}]],
}


@pytest.mark.parametrize("seed", [1, 2])
def test_a_generated_stack_comes_true(seed: int, parent: Parent, lab_on: LabOn) -> None:
    place(parent.host.state.files, r"C:\Images\one.vhdx")
    choose = Random(seed)  # noqa: S311 - inputs, no secret
    machines = {f"hv{number}": _chosen(MACHINE, choose, number=number) for number in range(4)}
    nets = {"net-a": _chosen(SWITCH, choose, network="192.168.50"), "net-b": _chosen(SWITCH, choose, network="10.9.8")}
    nets["net-b"]["forwards"] = []  # a port leads to one place
    lab = lab_on(parent, PROGRAM)
    (lab.folder / "lab.json").write_text(json.dumps({"machines": machines, "switches": nets}))
    lab.up()
    lab.expect_no_changes()


def _chosen(values: dict[str, list[Any]], choose: Random, **texts: Any) -> dict[str, Any]:
    return {name: _filled(choose.choice(ways), texts) for name, ways in values.items()}


def _filled(value: Any, texts: dict[str, Any]) -> Any:
    if isinstance(value, str):
        return value.format(**texts)
    if isinstance(value, list):
        return [_filled(item, texts) for item in value]
    return {key: _filled(item, texts) for key, item in value.items()} if isinstance(value, dict) else value
