"""The reference says of every attribute where it lives on the host and since when, and what it says is so."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from functools import cache
from typing import get_args

import generate
import jea
import pytest

import pulumi_nestedlab
from hyperv_sim.contract import load
from nestedlab.classroom.seat import Seat
from nestedlab.classroom.stack_settings import CLASS_SETTINGS, SEAT
from nestedlab.connection import HOSTS, SETTINGS, Connection
from nestedlab.declare import Attribute, Table
from nestedlab.machine.adapters.table import Adapter
from nestedlab.machine.disks.table import DataDisk, Disk
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.nat_switch.forwards import PortForward
from nestedlab.nat_switch.table import NatSwitch

TABLES: tuple[type[Table], ...] = (NestedHyperVHost, Disk, DataDisk, Adapter, NatSwitch, PortForward)
ATTRIBUTES = [
    pytest.param(attribute, id=f"{table.__name__}.{attribute.name}")
    for table in TABLES
    for attribute in table.attributes()
]
CALLED = {cmdlet.name for cmdlet in jea.called()}
NOT_ON_THE_HOST = {"on"}
"""Attributes without a place on the host: `on` names the host itself."""


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_it_names_cmdlets_that_the_provider_calls(attribute: Attribute) -> None:
    named = re.findall(r"[A-Z]\w+-[A-Z]\w+", attribute.place)
    assert bool(named) != (attribute.name in NOT_ON_THE_HOST or generate.parts_of(attribute) is not None)
    assert set(named) <= CALLED


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_it_names_the_oldest_windows_that_knows_all_its_parameters(attribute: Attribute) -> None:
    named = re.findall(r"([A-Z]\w+-[A-Z]\w+) -(\w+)", attribute.place)
    knowing = (
        windows
        for windows in ("2016", "2019", "2022", "2025")
        if all(parameter in load(windows)[name].parameters for name, parameter in named)
    )
    assert next(knowing) == generate.since(attribute)


def test_every_part_of_a_resource_is_on_a_page() -> None:
    shown = {part for kind in generate.RESOURCES for part in generate.parts(kind)}
    assert shown == {Disk, DataDisk, Adapter, PortForward}


@cache
def page(name: str) -> str:
    """What is generated into the reference's page of this name."""
    return dict(generate.generated())[f"docs/reference/{name}.md"]


def settings() -> Mapping[str, Mapping[str, str]]:
    """The rows of the table of settings, by the setting."""
    lines = page("configuration").partition("\n## ")[0].splitlines()
    head, _, *rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("|")]
    return {row[0].strip("`"): dict(zip(head, row, strict=True)) for row in rows}


def test_a_resource_has_its_logical_name_and_a_part_must_be_given_one() -> None:
    machine, adapter = page("NestedHyperVHost").split("### Adapter")
    assert "| `name` | `str` | the logical name |" in machine
    assert "| `name` | `str` | required |" in adapter
    assert "| `name` | `str` | the logical name |" in page("NatSwitch")


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_a_default_is_blank_only_where_it_is_not_the_programs(attribute: Attribute) -> None:
    shown = generate.default_of(attribute.field)
    default = attribute.field.default
    assert (shown == "") == (default is None)
    assert (shown == "empty") == (default in ("", []) and not attribute.field.is_required())


def test_every_setting_has_a_row_of_its_own() -> None:
    rows = settings()
    assert tuple(rows) == SETTINGS
    assert all(row["value"] and row["meaning"] for row in rows.values())
    assert "`on`" in rows[HOSTS]["meaning"]


def test_every_setting_of_a_class_has_a_row_and_every_key_of_a_seat_is_named() -> None:
    section = page("configuration").partition("## In a class")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([^`]+)` \| (.+)$", section, re.MULTILINE)
    assert tuple(setting for setting, _ in rows) == CLASS_SETTINGS
    seat = dict(rows)[SEAT]
    assert [name for name in Seat.model_json_schema(by_alias=True)["properties"] if f"`{name}`" not in seat] == []


def test_the_ways_to_log_on_are_all_shown_and_explained() -> None:
    row = settings()["nestedlab:auth"]
    ways = [f"`{way}`" for way in get_args(Connection.model_fields["auth"].annotation)]
    assert row["value"].split(", ") == ways
    assert len(ways) == 6
    assert [way for way in ways if f"{way}:" not in row["meaning"]] == []
    assert row["default"] == "`negotiate`"


@pytest.mark.parametrize("name", pulumi_nestedlab.__all__)
def test_what_help_shows_of_a_class_names_every_argument_at_the_margin(name: str) -> None:
    make = getattr(pulumi_nestedlab, name).__init__
    text, _, parameters = (inspect.getdoc(make) or "").partition("\n\n:param ")
    assert all(line == line.strip() for line in text.splitlines())
    listed = re.findall(r"^:param (\w+): \S", f":param {parameters}", re.MULTILINE)
    assert listed == list(inspect.signature(make).parameters)[1:]
    continued = [line for line in parameters.splitlines()[1:] if not line.startswith(":param ")]
    assert [line for line in continued if not re.match(r" {4}\S", line)] == []
