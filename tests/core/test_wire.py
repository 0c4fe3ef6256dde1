"""Properties on Pulumi's wire."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.output import Unknown
from pulumi.runtime import rpc

from nestedlab.adapters.wire import from_wire, path_on_wire, to_wire
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.nat_switch.table import NatSwitch


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        ({"memoryMib": 8192.0}, {"memory_mib": 8192}),
        ({"memoryMib": 1.5}, {"memory_mib": 1.5}),
        ({"memoryMib": float("inf")}, {"memory_mib": float("inf")}),
        ({"osDisk": {"sizeGib": 80.0, "parent": None}}, {"os_disk": {"size_gib": 80, "parent": None}}),
        ({"running": True}, {"running": True}),
        ({"notes": "4.0"}, {"notes": "4.0"}),
        ({"__provider": "pickled", "__internal": 1, "name": "hv1"}, {"name": "hv1"}),
        ({"colour": [1.0, {"aB": 2.0}]}, {"colour": [1, {"a_b": 2}]}),
        ({}, {}),
    ],
)
def test_values_are_taken_by_attribute_name(sent: dict[str, Any], taken: dict[str, Any]) -> None:
    values, unknown = from_wire(NestedHyperVHost, sent)
    assert values == taken
    assert [type(one) for one in values.values()] == [type(one) for one in taken.values()]
    assert unknown == set()


@pytest.mark.parametrize(
    "sent",
    [
        {"osDisk": rpc.UNKNOWN},
        {"osDisk": {"parent": rpc.UNKNOWN}},
        {"osDisk": [{"deep": [rpc.UNKNOWN]}]},
        {"osDisk": Unknown()},  # type: ignore[no-untyped-call]
    ],
)
def test_what_is_not_known_is_named_wherever_it_hides(sent: dict[str, Any]) -> None:
    assert from_wire(NestedHyperVHost, {**sent, "name": "hv1"}) == ({"name": "hv1"}, {"os_disk"})


def test_values_are_sent_by_wire_name_and_without_those_that_are_none() -> None:
    properties: dict[str, Any] = {
        "name": "hv1",
        "memory_mib": 8192,
        "os_disk": {"size_gib": 80, "parent": None},
        "mac_spoofing": False,
        "notes": "",
        "path": None,
        "vm_id": "5d",
    }
    sent = {
        "name": "hv1",
        "memoryMib": 8192,
        "osDisk": {"sizeGib": 80},
        "macSpoofing": False,
        "notes": "",
        "vmId": "5d",
    }
    assert to_wire(properties) == sent


@pytest.mark.parametrize("kind", [NestedHyperVHost, NatSwitch])
def test_every_attribute_comes_back_as_it_was_sent(kind: Any) -> None:
    rows = (*kind.attributes(), *kind.outputs.attributes())
    properties: dict[str, Any] = {row.name: f"value of {row.name}" for row in rows}
    assert from_wire(kind, to_wire(properties)) == (properties, set())


def test_an_empty_slot_is_a_value() -> None:
    assert to_wire({"os_disk": {}}) == {"osDisk": {}}


def test_a_path_is_spelt_as_on_the_wire() -> None:
    assert path_on_wire(("os_disk", "size_gib")) == "osDisk.sizeGib"
    assert path_on_wire(("name",)) == "name"
