"""Diff, what is written and what is settled: for every resource alike, from rows; shown on a table of its own."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import pytest

from nestedlab.declare import Change, Depends, Form, Noun, Resource, Row, Table
from nestedlab.errors import RevertedError
from nestedlab.lifecycle import Found, diff, differences, needs, settled, values, verify, writes
from nestedlab.pipeline import Facts, PSObject, cmdlet
from nestedlab.machine.adapters.table import Adapter
from nestedlab.machine.disks.table import DataDisk, Disk
from nestedlab.nat_switch.forwards import PortForward
from nestedlab.names import same_name
from nestedlab.nat_switch.table import NatSwitch
from nestedlab.machine.table import NestedHyperVHost

Lamp = Noun("Lamp", "Get-Lamp", "Set-Lamp")
Plug = Noun("Plug", "Get-Plug", "Connect-Plug", through=("Get-Plug",), clears="Disconnect-Plug")
KILO = Form(fold=lambda kilo, _: kilo * 1000, read=lambda one: None if one is None else one // 1000)
FIRST = Form(read=lambda text: text.partition("/")[0])
SECOND = Form(fold=lambda own, first: f"{first or ''}/{own}", read=lambda text: text.partition("/")[2])


BRIGHTER = Depends("only up", lambda found, asked: Change.LIVE if asked > found else Change.REPLACE)


class Light(Resource):
    """A light."""

    title: ClassVar[str] = "light"
    name: Annotated[str, Row(Lamp("NewName", reads="Name"), same=same_name)]
    watts: Annotated[int, Row(Lamp("Milliwatts", form=KILO), Change.OFF)] = 5
    note: Annotated[str, Row(Lamp("Label", form=FIRST))] = ""
    owner: Annotated[str, Row(Lamp("Label", form=SECOND))] = "me"
    plug: Annotated[str, Row(Plug("Socket"))] = ""
    socket_kind: Annotated[str | None, Row(Lamp.shows("Kind"), Change.REPLACE)] = None
    wires: Annotated[Literal[3], Row(Lamp("Wires"))] = 3
    shade: Annotated[int, Row(change=BRIGHTER)] = 1
    serial: Annotated[str, Row(Lamp.shows("Serial"), computed=True)] = ""


ASKED: dict[str, Any] = {"name": "a", "watts": 5, "note": "n", "owner": "me", "plug": "p", "wires": 3, "shade": 1}
FOUND = {**ASKED, "socket_kind": "E27", "serial": "7"}


@pytest.mark.parametrize(
    ("asked", "found", "changed", "replaced"),
    [
        ({}, {}, [], []),
        ({"name": "A"}, {}, [], []),
        ({"note": "x"}, {}, ["note"], []),
        ({"socket_kind": None}, {"socket_kind": "E14"}, [], []),
        ({"socket_kind": "E14"}, {}, ["socket_kind"], ["socket_kind"]),
        ({"shade": 2}, {}, ["shade"], []),
        ({"shade": 0, "watts": 6}, {}, ["watts", "shade"], ["shade"]),
        ({}, {"wires": 2}, ["wires"], []),
        ({}, {"plug": None}, ["plug"], []),
        ({}, {"serial": "8"}, [], []),
    ],
)
def test_a_diff_has_what_differs_and_what_only_a_replacement_changes(
    asked: dict[str, Any], found: dict[str, Any], changed: list[str], replaced: list[str]
) -> None:
    difference = diff(Light, {**FOUND, **found}, {**ASKED, **asked})
    assert [one.name for one in difference.changed] == changed
    assert [one.name for one in difference.replaced] == replaced


def test_what_has_no_value_yet_counts_as_changed() -> None:
    difference = diff(Light, FOUND, {**ASKED, "plug": None}, unknown={"plug"})
    assert [one.name for one in difference.changed] == ["plug"]


def test_a_change_of_a_disk_without_a_value_yet_needs_no_value_to_be_told() -> None:
    found = {"os_disk": {"size_gib": 80}}
    assert "os_disk" in [one.name for one in diff(NestedHyperVHost, found, {}, unknown={"os_disk"}).changed]


@pytest.mark.parametrize(
    ("changed", "asked", "lines"),
    [
        (["watts"], {}, ["Get-Light | Set-Lamp -Milliwatts 5000"]),
        (["name", "watts"], {}, ["Get-Light | Set-Lamp -NewName 'a' -Milliwatts 5000"]),
        (["note"], {}, ["Get-Light | Set-Lamp -Label 'n/me'"]),
        (["owner"], {}, ["Get-Light | Set-Lamp -Label 'n/me'"]),
        (["owner"], {"note": None}, ["Get-Light | Set-Lamp -Label '/me'"]),
        (["plug"], {}, ["Get-Light | Get-Plug | Connect-Plug -Socket 'p'"]),
        (["plug"], {"plug": ""}, ["Get-Light | Get-Plug | Disconnect-Plug"]),
        (
            ["watts", "plug"],
            {},
            ["Get-Light | Set-Lamp -Milliwatts 5000", "Get-Light | Get-Plug | Connect-Plug -Socket 'p'"],
        ),
        (["wires"], {}, ["Get-Light | Set-Lamp -Wires 3"]),
        (["socket_kind", "shade"], {}, []),
        ([], {}, []),
    ],
)
def test_one_pipeline_a_noun_writes_what_has_changed(
    changed: list[str], asked: dict[str, Any], lines: list[str]
) -> None:
    rows = [one for one in Light.inputs() if one.name in changed]
    written = writes(Light, cmdlet("Get-Light"), rows, {**ASKED, **asked})
    assert [str(one) for one in written] == lines
    if written:
        assert [one.properties for one in written] == ([", ".join(changed)] if len(lines) == 1 else changed)


@pytest.mark.parametrize(
    ("before", "found", "expected"),
    [
        (ASKED, {**FOUND, "name": "A"}, {**ASKED, "serial": "7"}),
        (ASKED, {**FOUND, "note": "x"}, {**ASKED, "note": "x", "serial": "7"}),
        ({**ASKED, "socket_kind": "E14"}, FOUND, {**ASKED, "socket_kind": "E27", "serial": "7"}),
        (ASKED, {**FOUND, "plug": None}, {**ASKED, "plug": None, "serial": "7"}),
        ({}, FOUND, {"serial": "7"}),
    ],
)
def test_settled_is_what_was_found_in_the_spelling_that_was_asked_for(
    before: dict[str, Any], found: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert settled(Light, before, found) == expected


def test_values_come_from_the_last_object_of_a_type_and_from_no_other_type() -> None:
    lamp: dict[str, Any] = {"Name": "a", "Milliwatts": 5000, "Label": "n/me", "Kind": "E27", "Wires": 3, "Serial": "7"}
    objects = [PSObject("Lamp", {"Name": "old"}), PSObject("Torch", {"Name": "other"}), PSObject("Lamp", lamp)]
    assert values(Light, objects) == {
        "name": "a", "watts": 5, "note": "n", "owner": "me", "socket_kind": "E27", "wires": 3, "serial": "7"
    }  # fmt: skip
    assert values(Light, []) == {}


def test_what_was_not_kept_is_named_with_both_values() -> None:
    found = Found(UUID(int=1), {**FOUND, "watts": 4, "plug": None}, Facts())
    with pytest.raises(RevertedError) as told:
        verify(Light, "light 'a'", ASKED, found)
    assert "watts was set to 5 and is 4; plug was set to 'p' and is None" in str(told.value)
    assert str(told.value).startswith("light 'a'")
    kept = Found(UUID(int=1), FOUND, Facts())
    assert verify(Light, "light 'a'", ASKED, kept) is kept


@pytest.mark.parametrize("kind", [NestedHyperVHost, NatSwitch, Adapter, Disk, DataDisk, PortForward])
def test_every_field_of_a_table_is_a_row(kind: type[Table]) -> None:
    """One that is not, because its Row stands inside a union, is checked and never compared."""
    assert [one.name for one in kind.attributes()] == list(kind.model_fields)


def test_needs_are_those_of_the_rows() -> None:
    changed = differences(Light, {**ASKED, "watts": 9, "note": "x", "shade": 0}, FOUND)
    assert needs(changed, FOUND, {**ASKED, "shade": 0}) == {Change.OFF, Change.LIVE, Change.REPLACE}
