"""Diff, what is written and what is settled: for every resource alike, from rows; shown on a table of its own."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import pytest

from nestedlab.declare import Change, Depends, Form, Noun, Outputs, Resource, Row, Table
from nestedlab.errors import RevertedError
from nestedlab.lifecycle import Observed, diff, normalised, values, verify, writes
from nestedlab.machine.adapters.table import Adapter
from nestedlab.machine.disks.table import DataDisk, Disk
from nestedlab.machine.table import MachineOutputs, NestedHyperVHost
from nestedlab.names import same_name
from nestedlab.nat_switch.forwards import PortForward
from nestedlab.nat_switch.table import NatSwitch, NatSwitchOutputs
from nestedlab.pipeline import PSObject, cmdlet
from nestedlab.plain import loaded, observed, plain

Lamp = Noun("Lamp", "Get-Lamp", "Set-Lamp")
Plug = Noun("Plug", "Get-Plug", "Connect-Plug", through=("Get-Plug",), clears="Disconnect-Plug")
KILO = Form(fold=lambda kilo, _: kilo * 1000, read=lambda one: None if one is None else one // 1000)
FIRST = Form(read=lambda text: text.partition("/")[0])
SECOND = Form(fold=lambda own, first: f"{first or ''}/{own}", read=lambda text: text.partition("/")[2])


BRIGHTER = Depends("only up", lambda there, wanted: Change.LIVE if wanted > there else Change.REPLACE)


class LightOutputs(Outputs):
    """What a light shows."""

    serial: Annotated[str, Row(Lamp.shows("Serial"))] = ""


class Light(Resource):
    """A light."""

    title: ClassVar[str] = "light"
    outputs: ClassVar[type[Outputs]] = LightOutputs
    name: Annotated[str, Row(Lamp("NewName", reads="Name"), same=same_name)]
    watts: Annotated[int, Row(Lamp("Milliwatts", form=KILO), Change.OFF)] = 5
    note: Annotated[str, Row(Lamp("Label", form=FIRST))] = ""
    owner: Annotated[str, Row(Lamp("Label", form=SECOND))] = "me"
    plug: Annotated[str, Row(Plug("Socket"))] = ""
    socket_kind: Annotated[str | None, Row(Lamp.shows("Kind"), Change.REPLACE)] = None
    wires: Annotated[Literal[3], Row(Lamp("Wires"))] = 3
    shade: Annotated[int, Row(change=BRIGHTER)] = 1


ASKED: dict[str, Any] = {"name": "a", "watts": 5, "note": "n", "owner": "me", "plug": "p", "wires": 3, "shade": 1}
FOUND = {**ASKED, "socket_kind": "E27"}


def asked_for(**differs: Any) -> Light:
    return loaded(Light, {**ASKED, **differs})


def there(**differs: Any) -> Light:
    return observed(Light, {**FOUND, **differs})


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
    ],
)
def test_a_diff_has_what_differs_and_what_only_a_replacement_changes(
    asked: dict[str, Any], found: dict[str, Any], changed: list[str], replaced: list[str]
) -> None:
    rows, only_replaced = diff(there(**found), asked_for(**asked))
    assert [row.name for row in rows] == changed
    assert [row.name for row in only_replaced] == replaced


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
    rows = [row for row in Light.attributes() if row.name in changed]
    written = writes(cmdlet("Get-Light"), rows, asked_for(**asked))
    assert [str(pipeline) for pipeline in written] == lines
    if written:
        assert [pipeline.properties for pipeline in written] == ([", ".join(changed)] if len(lines) == 1 else changed)


@pytest.mark.parametrize(
    ("before", "found", "expected"),
    [
        ({}, {"name": "A"}, ASKED),
        ({}, {"note": "x"}, {**ASKED, "note": "x"}),
        ({"socket_kind": "E14"}, {}, {**ASKED, "socket_kind": "E27"}),
        ({}, {"plug": None}, {name: value for name, value in ASKED.items() if name != "plug"}),
    ],
)
def test_a_state_holds_what_is_there_in_the_spelling_of_the_inputs(
    before: dict[str, Any], found: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert plain(normalised(asked_for(**before), there(**found))) == expected


def test_values_come_from_the_last_object_of_a_type_and_from_no_other_type() -> None:
    lamp: dict[str, Any] = {"Name": "a", "Milliwatts": 5000, "Label": "n/me", "Kind": "E27", "Wires": 3, "Serial": "7"}
    objects = [PSObject("Lamp", {"Name": "old"}), PSObject("Torch", {"Name": "other"}), PSObject("Lamp", lamp)]
    assert values(Light, objects) == {
        "name": "a", "watts": 5, "note": "n", "owner": "me", "socket_kind": "E27", "wires": 3
    }  # fmt: skip
    assert values(LightOutputs, objects) == {"serial": "7"}
    assert values(Light, []) == {}


def test_what_was_not_kept_is_named_with_both_values() -> None:
    now = Observed(UUID(int=1), there(watts=4, plug=None), LightOutputs())
    with pytest.raises(RevertedError) as told:
        verify(asked_for(), now)
    assert "watts was set to 5 and is 4; plug was set to 'p' and is None" in str(told.value)
    assert str(told.value).startswith("light 'a'")
    kept = Observed(UUID(int=1), there(), LightOutputs())
    assert verify(asked_for(), kept) is kept


@pytest.mark.parametrize(
    "kind", [NestedHyperVHost, MachineOutputs, NatSwitch, NatSwitchOutputs, Adapter, Disk, DataDisk, PortForward]
)
def test_every_field_of_a_table_is_a_row(kind: type[Table]) -> None:
    """One that is not, because its Row stands inside a union, is checked and never compared."""
    assert [row.name for row in kind.attributes()] == list(kind.model_fields)


def test_what_a_change_takes_is_said_by_the_rows() -> None:
    inputs = asked_for(watts=9, note="x", shade=0)
    rows, _ = diff(there(), inputs)
    assert {row.name: row.change(there(), inputs) for row in rows} == {
        "watts": Change.OFF,
        "note": Change.LIVE,
        "shade": Change.REPLACE,
    }


def test_an_attribute_that_no_table_has_is_never_observed() -> None:
    """A misspelt name would be a value that nobody compares."""
    with pytest.raises(KeyError, match="wats"):
        observed(Light, {"wats": 5})


class LightOfTheNextVersion(Resource):
    """A light whose attribute `watts` has another name, and which has one more."""

    title: ClassVar[str] = "light"
    outputs: ClassVar[type[Outputs]] = LightOutputs
    name: Annotated[str, Row(Lamp("NewName", reads="Name"), same=same_name)]
    power: Annotated[int, Row(Lamp("Milliwatts", form=KILO), Change.OFF, formerly=("watts",))] = 5
    blinks: Annotated[bool, Row(Lamp("Blinks"))] = False


def test_a_state_of_an_earlier_version_has_renamed_attributes_and_defaults_of_new_ones() -> None:
    """Decision 0011: an update of nestedlab alone changes nothing of a lab."""
    state = loaded(LightOfTheNextVersion, {**ASKED, "watts": 9, "removed": 1})
    assert (state.power, state.blinks) == (9, False)
    inputs = loaded(LightOfTheNextVersion, {"name": "a", "power": 9})
    assert [row.name for row in diff(state, inputs)[0]] == []
    blinking = loaded(LightOfTheNextVersion, {"name": "a", "power": 9, "blinks": True})
    assert [row.name for row in diff(state, blinking)[0]] == ["blinks"]
