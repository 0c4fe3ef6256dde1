"""What resources of one program are to each other on one host."""

from __future__ import annotations

from typing import Any

import pytest

from nestedlab.declare import Resource
from nestedlab.errors import RefusedError
from nestedlab.lifecycle import check
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.nat_switch.table import NatSwitch
from nestedlab.program import Program

RDP = {"external_port": 3390, "internal_port": 3389}


def seen(*resources: Resource) -> list[str]:
    program = Program()
    return [warning for resource in resources for warning in program.see(resource)]


def nat_switch(name: str, prefix: str, **inputs: Any) -> NatSwitch:
    switch: NatSwitch = valid(NatSwitch, {"name": name, "owner": f"lab/dev/{name}", "prefix": prefix, **inputs})
    return switch


def machine(name: str, **inputs: Any) -> NestedHyperVHost:
    usual = {"name": name, "owner": f"lab/dev/{name}", "os_disk": {"size_gib": 40}}
    made: NestedHyperVHost = valid(NestedHyperVHost, {**usual, **inputs})
    return made


def valid(kind: Any, inputs: dict[str, Any]) -> Any:
    table, failures = check(kind, inputs)
    assert table is not None, failures
    return table


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (nat_switch("LAB", "10.0.0.0/24"), r"name: lab/dev/lab is a NAT switch of the name 'LAB' too"),
        (nat_switch("b", "192.168.50.128/25"), r"prefix: 192.168.50.128/25 overlaps 192.168.50.0/24 of the .*'lab'"),
        (nat_switch("b", "192.168.0.0/24", nat_prefix="192.168.0.0/16"), r"nat_prefix: 192.168.0.0/16 overlaps"),
        (
            nat_switch("b", "10.0.0.0/24", forwards=[{**RDP, "internal_address": "10.0.0.9"}]),
            r"forwards\[TCP 3390\]: the NAT switch 'lab' of this program forwards this port",
        ),
    ],
)
def test_what_the_host_cannot_have_at_once_is_refused_with_the_others_name(other: NatSwitch, told: str) -> None:
    forwards = [{**RDP, "internal_address": "192.168.50.9"}]
    with pytest.raises(RefusedError, match=told):
        seen(nat_switch("lab", "192.168.50.0/24", forwards=forwards), other)


def test_switches_that_share_a_nat_network_are_fine() -> None:
    first = nat_switch("a", "192.168.50.0/24", nat_prefix="192.168.0.0/16")
    assert seen(first, nat_switch("b", "192.168.51.0/24", nat="shared"), first) == []


def test_a_switch_and_a_machine_may_have_one_name() -> None:
    assert seen(nat_switch("lab", "10.0.0.0/24"), machine("lab")) == []


IMAGE, GIVEN = r"D:\Images\ws2022.vhdx", "d:/images/WS2022.vhdx"


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ({"os_disk": {"path": IMAGE}}, {"os_disk": {"path": GIVEN}}, "a file can be in one machine only"),
        ({"os_disk": {"parent": IMAGE}}, {"os_disk": {"path": GIVEN}}, "the image of the other"),
        ({"os_disk": {"path": IMAGE}}, {"data_disks": [{"parent": GIVEN}]}, "the image of the other"),
        (
            {"adapters": [{"name": "a", "mac": "00:15:5D:01:02:03"}]},
            {"adapters": [{"name": "b", "mac": "00155d010203"}]},
            "machine 'hv1' also has an adapter with the MAC address 00155D010203",
        ),
    ],
)
def test_a_file_or_a_mac_address_of_two_machines_is_told_of(
    one: dict[str, Any], other: dict[str, Any], told: str
) -> None:
    (warning,) = seen(machine("hv1", **one), machine("hv2", **other))
    assert told in warning


def test_machines_that_share_an_image_are_fine() -> None:
    assert seen(machine("hv1", os_disk={"parent": IMAGE}), machine("hv2", os_disk={"parent": GIVEN})) == []
