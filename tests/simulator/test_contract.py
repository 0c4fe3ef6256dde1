"""The contract that cmdlets are bound by is what the Hyper-V module's own reflection says, and what is listed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from tests.case_files import CASES, cases_in

from hyperv_sim.contract import EVERY_SET, Cmdlet, ParameterType, load
from hyperv_sim.state.windows import WINDOWS

MODULE = json.loads((CASES / "contract" / "module2019.json").read_text(encoding="utf-8"))
DIFFERENCES: Iterable[Mapping[str, Any]] = cases_in(CASES / "contract" / "differences.yaml")  # type: ignore[assignment]
SHORT = {"bool": "boolean", "int": "int32", "long": "int64", "switch": "switchparameter"}
"""What PowerShell calls a type otherwise than .NET does; the others differ in case at most."""
MEMBERS = {name.rpartition(".")[2]: entry["members"] for name, entry in MODULE["enumerations"].items()}
ALL_SETS = "__AllParameterSets"


def _declared(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter of the module."""
    nullable = re.fullmatch(r"System\.Nullable\[(.+)\]", entry["type"])
    bare = nullable[1] if nullable else entry["type"]
    name = bare.removesuffix("[]").rpartition(".")[2]
    checks = entry.get("checks", ())
    return {
        "type": SHORT.get(name, name.lower()),
        "array": bare.endswith("[]"),
        "nullable": nullable is not None,
        "aliases": entry.get("aliases", []),
        "values": entry.get("values", []),
        "range": [int(bound) for bound in entry.get("range", ())],
        "refuses": ("null" if checks else "", "empty" if "ValidateNotNullOrEmpty" in checks else ""),
        "members": MEMBERS.get(name),
        "sets": entry["sets"],
    }


def _bound(parameter: ParameterType, cmdlet: Cmdlet) -> dict[str, Any]:
    """A parameter as it is bound."""
    return {
        "type": parameter.type_name.lower(),
        "array": parameter.is_array,
        "nullable": parameter.is_nullable,
        "aliases": list(parameter.aliases),
        "values": list(parameter.values),
        "range": list(parameter.bounds or ()),
        "refuses": ("null" if parameter.no_null else "", "empty" if parameter.no_empty else ""),
        "members": parameter.members,
        "sets": {
            ALL_SETS if place.flag == EVERY_SET else cmdlet.set_name(place.flag): [
                int(place.mandatory),
                place.position,
                "v" * place.by_value + "n" * place.by_property_name,
            ]
            for place in parameter.places
        },
    }


def _listed(windows: str, key: str, name: str) -> list[str]:
    return [
        parameter
        for entry in DIFFERENCES
        if windows in entry["windows"]
        for parameter in entry.get(key, {}).get(name, ())
    ]


@pytest.mark.parametrize("windows", WINDOWS)
def test_every_cmdlet_of_the_module_is_bound_as_the_module_declares_it(windows: str) -> None:
    contract = {name: cmdlet for name, cmdlet in load(windows).items() if cmdlet.module == "Hyper-V"}
    assert contract.keys() == MODULE["cmdlets"].keys()
    for name, entry in MODULE["cmdlets"].items():
        cmdlet = contract[name]
        lacks, has = _listed(windows, "lacks", name), _listed(windows, "has", name)
        declared = [parameter for parameter in entry["params"] if parameter not in lacks]
        assert list(cmdlet.parameters) == [*declared, *has], name
        assert cmdlet.set_names[0] == (entry["default_set"] or ALL_SETS), name
        assert ("WhatIf" in cmdlet.added, "Confirm" in cmdlet.added) == (entry["should_process"],) * 2, name
        for parameter in declared:
            bound = _bound(cmdlet.parameters[parameter], cmdlet)
            assert bound == _declared(entry["params"][parameter]), f"{name} -{parameter}"


def test_every_listed_difference_is_one_of_the_module() -> None:
    for entry in DIFFERENCES:
        assert entry["source"]
        for name, parameters in entry.get("lacks", {}).items():
            assert {*parameters} <= MODULE["cmdlets"][name]["params"].keys()
        for name, parameters in entry.get("has", {}).items():
            assert not {*parameters} & MODULE["cmdlets"][name]["params"].keys()
