"""The signatures of the simulated cmdlets, per Windows version, from Microsoft's cmdlet reference.

`cmdlets.json` is written by `scripts/contract`. It holds facts only: names, types, flags, listed values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from hyperv_sim.fidelity import fact

WINDOWS_2019_ON = {
    "Set-VM": ("AutomaticCheckpointsEnabled",),
    "Set-VMProcessor": ("EnableHostResourceProtection", "HwThreadCountPerCore", "Perfmon"),
}
"""Parameters that the reference shows for 2016 too, though they are newer: later pages were copied back into it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A parameter's place in one parameter set."""

    mandatory: bool
    position: int | None
    by_value: bool
    by_property_name: bool


@dataclass(frozen=True, slots=True)
class ParameterSet:
    """Parameters that go together. `places` is keyed by the parameter's name."""

    name: str
    is_default: bool
    places: Mapping[str, Place]


@dataclass(frozen=True, slots=True)
class ParameterType:
    """What a parameter takes.

    `type_name` is the element's type if `is_array`; `values` are the listed ones, `bounds` the listed range.
    It counts as mandatory if any set has it so.
    """

    name: str
    type_name: str
    is_array: bool
    is_mandatory: bool
    aliases: tuple[str, ...]
    values: tuple[str, ...]
    bounds: tuple[int, int] | None

    @property
    def is_switch(self) -> bool:
        """Whether the parameter is given without a value."""
        return self.type_name == "SwitchParameter"


@dataclass(frozen=True, slots=True)
class Cmdlet:
    """A cmdlet's signature. `is_cim` marks one generated from CIM: a function, with errors of its own kind.

    `parameters` are by their own names, `parameters_by_any_name` by name and alias in lower case.
    """

    name: str
    module: str
    aliases: tuple[str, ...]
    is_cim: bool
    sets: tuple[ParameterSet, ...]
    parameters: Mapping[str, ParameterType]
    parameters_by_any_name: Mapping[str, ParameterType]

    def parameter(self, name: str) -> ParameterType | None:
        """The parameter of this exact name or alias, in any case.

        PowerShell takes an unambiguous prefix too. That depends on parameters which the reference may not list, so a
        prefix is not taken here.
        """
        return self.parameters_by_any_name.get(name.lower())


def _parameter(name: str, entry: Mapping[str, Any], sets: tuple[ParameterSet, ...]) -> ParameterType:
    type_name = str(entry["type"])
    bounds = entry.get("range")
    return ParameterType(
        name=name,
        type_name=type_name.removesuffix("[]").rsplit(".", 1)[-1],
        is_array=type_name.endswith("[]"),
        is_mandatory=any(
            parameter_set.places[name].mandatory for parameter_set in sets if name in parameter_set.places
        ),
        aliases=tuple(entry.get("aliases", ())),
        values=tuple(entry.get("values", ())),
        bounds=(bounds[0], bounds[1]) if bounds else None,
    )


def _set(entry: Mapping[str, Any], absent: tuple[str, ...]) -> ParameterSet:
    places = {
        name: Place(bool(mandatory), position, "v" in pipeline, "n" in pipeline)
        for name, (mandatory, position, pipeline) in entry["params"].items()
        if name not in absent
    }
    return ParameterSet(entry["name"], bool(entry.get("default")), places)


def _cmdlet(name: str, entry: Mapping[str, Any], windows: str) -> Cmdlet:
    absent = WINDOWS_2019_ON.get(name, ()) if windows == "2016" else ()
    sets = tuple(_set(parameter_set, absent) for parameter_set in entry["sets"])
    parameters = {key: _parameter(key, value, sets) for key, value in entry["params"].items() if key not in absent}
    return Cmdlet(
        name=name,
        module=entry["module"],
        aliases=tuple(entry.get("aliases", ())),
        is_cim=bool(entry.get("cdxml")),
        sets=sets,
        parameters=parameters,
        parameters_by_any_name={
            name.lower(): parameter
            for parameter in parameters.values()
            for name in (parameter.name, *parameter.aliases)
        },
    )


@cache
def load(windows: str) -> Mapping[str, Cmdlet]:
    """The signatures for a Windows Server version ("2016", "2019", "2022" or "2025"), by cmdlet name."""
    text = resources.files(__package__).joinpath("cmdlets.json").read_text(encoding="utf-8")
    return {
        name: _cmdlet(name, variant, windows)
        for name, variants in json.loads(text)["cmdlets"].items()
        for variant in variants
        if windows in variant["windows"]
    }


fact(
    "Windows",
    "Server 2016 does not know `-AutomaticCheckpointsEnabled`, `-HwThreadCountPerCore`, "
    "`-EnableHostResourceProtection`, `-Perfmon`, though its reference shows them",
    "inferred: the pages were copied back",
)
