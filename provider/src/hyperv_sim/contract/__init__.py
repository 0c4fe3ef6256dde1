"""The signatures of the simulated cmdlets, per Windows version: Microsoft's cmdlet reference, and of the Hyper-V module
what its reflection on a host shows (null checks, value sets, positions, pipeline input, numbers of enumerations).

`cmdlets.json` is written by `scripts/contract`. It holds facts only: names, types, flags, listed values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, reduce
from importlib import resources
from operator import or_
from typing import Any

from hyperv_sim.contract.common_parameters import ACTION, ACTIONS, COMMON, SHOULD_PROCESS
from hyperv_sim.fidelity import fact

WINDOWS_2019_ON = {
    "Set-VM": ("AutomaticCheckpointsEnabled",),
    "Set-VMProcessor": ("EnableHostResourceProtection", "HwThreadCountPerCore", "Perfmon"),
}
"""Parameters that the reference shows for 2016 too, though they are newer: later pages were copied back into it."""

ALL_SETS = "__AllParameterSets"
EVERY_SET = 0xFFFFFFFF
"""The flags before any argument has narrowed the parameter sets, as PowerShell has them (uint.MaxValue)."""

DEFAULT_SET = 1
"""The flag of a cmdlet's default set."""

VALUE_TYPES = frozenset(
    {"Boolean", "Byte", "DateTime", "Guid", "Int16", "Int32", "Int64", "TimeSpan", "UInt16", "UInt32", "UInt64"}
)
"""The .NET structures among the types of parameters, which hold no null."""


@dataclass(frozen=True, slots=True)
class Place:
    """A parameter's place in one parameter set, or in all of them (`flag` is then EVERY_SET).

    `takes_input`: a piped object can give the argument, by its value or by a property's name.
    """

    flag: int
    mandatory: bool = False
    position: int | None = None
    by_value: bool = False
    by_property_name: bool = False
    takes_input: bool = False


@dataclass(frozen=True)
class ParameterType:
    """What a parameter takes.

    `type_name` is the element's type if `is_array`. `members` are those of an enumeration with their numbers, if these
    are known; `values` are the only ones that are taken (of an enumeration without numbers its members), `bounds` the
    only range. `no_null` and `no_empty` are its checks; `only` and `pattern` are those that a role adds. `is_added`
    marks one that PowerShell adds.
    """

    name: str
    type_name: str
    is_array: bool = False
    is_nullable: bool = False
    is_added: bool = False
    aliases: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    bounds: tuple[int, int] | None = None
    members: Mapping[str, int] | None = None
    no_null: bool = False
    no_empty: bool = False
    only: tuple[str, ...] = ()
    pattern: str = ""
    places: tuple[Place, ...] = ()

    @cached_property
    def is_mandatory(self) -> bool:
        """Whether it is so in any parameter set."""
        return any(place.mandatory for place in self.places)

    @cached_property
    def is_switch(self) -> bool:
        """Whether the parameter is given without a value."""
        return self.type_name == "SwitchParameter"

    @cached_property
    def is_value_type(self) -> bool:
        """Whether .NET has no null of its type."""
        is_structure = self.is_switch or self.type_name in VALUE_TYPES or self.members is not None
        return is_structure and not self.is_nullable and not self.is_array

    @cached_property
    def flags(self) -> int:
        """The flags of its parameter sets."""
        return reduce(or_, (place.flag for place in self.places), 0)

    @cached_property
    def input_flags(self) -> int:
        """The flags of the sets in which a piped object can give it."""
        return reduce(or_, (place.flag for place in self.places if place.takes_input), 0)


@dataclass(frozen=True)
class Cmdlet:
    """A cmdlet's signature. `is_cim` marks one generated from CIM, with errors of its own kind.

    `is_function`: its arguments are converted as a function's. `set_names` are the parameter sets in the order of their
    flags' bits, the default one first: a cmdlet that names none has one of the name __AllParameterSets, that no
    parameter belongs to. `parameters` are its own by their names, `added` those that PowerShell adds.
    """

    name: str
    module: str
    aliases: tuple[str, ...]
    is_cim: bool
    is_function: bool
    set_names: tuple[str, ...]
    parameters: Mapping[str, ParameterType]
    added: Mapping[str, ParameterType]

    @cached_property
    def by_any_name(self) -> Mapping[str, ParameterType]:
        """All parameters by name and alias in lower case."""
        everything = (*self.added.values(), *self.parameters.values())
        return {name.lower(): parameter for parameter in everything for name in (*parameter.aliases, parameter.name)}

    @cached_property
    def mandatory(self) -> Sequence[ParameterType]:
        """The parameters that are mandatory in any set."""
        return tuple(parameter for parameter in self.parameters.values() if parameter.is_mandatory)

    @cached_property
    def pipelined(self) -> Sequence[ParameterType]:
        """The parameters that a piped object can give in any set."""
        return tuple(parameter for parameter in self.parameters.values() if parameter.input_flags)

    @property
    def all_sets(self) -> int:
        """The flags of all parameter sets."""
        return (1 << len(self.set_names)) - 1

    def set_name(self, flags: int) -> str:
        """The name of the set of this flag; that of the default one before any argument has narrowed the sets."""
        return self.set_names[0 if flags == EVERY_SET else flags.bit_length() - 1]


@cache
def _added(names: tuple[str, ...]) -> Mapping[str, ParameterType]:
    known = {**COMMON, **SHOULD_PROCESS}
    return {
        name: ParameterType(
            name=name,
            type_name=known[name][0],
            is_added=True,
            aliases=(known[name][1],),
            members=ACTIONS if known[name][0] == ACTION else None,
            places=(Place(EVERY_SET),),
        )
        for name in names
    }


def _parameter(
    name: str, entry: Mapping[str, Any], flags: Mapping[str, int], numbered: Mapping[str, Mapping[str, int]]
) -> ParameterType:
    type_name = str(entry["type"])
    bounds = entry.get("range")
    checks = entry.get("checks", ())
    places = tuple(
        Place(flags[set_name], bool(mandatory), position, "v" in pipeline, "n" in pipeline, bool(pipeline))
        for set_name, (mandatory, position, pipeline) in entry["sets"].items()
    )
    element = type_name.removesuffix("[]").rsplit(".", 1)[-1]
    return ParameterType(
        name=name,
        type_name=element,
        is_array=type_name.endswith("[]"),
        is_nullable=bool(entry.get("nullable")),
        aliases=tuple(entry.get("aliases", ())),
        values=tuple(entry.get("values", ())),
        bounds=(bounds[0], bounds[1]) if bounds else None,
        members=numbered.get(element),
        no_null="ValidateNotNull" in checks or "ValidateNotNullOrEmpty" in checks,
        no_empty="ValidateNotNullOrEmpty" in checks,
        places=places,
    )


def _cmdlet(name: str, entry: Mapping[str, Any], windows: str, numbered: Mapping[str, Mapping[str, int]]) -> Cmdlet:
    absent = WINDOWS_2019_ON.get(name, ()) if windows == "2016" else ()
    entries = {key: value for key, value in entry["params"].items() if key not in absent}
    others = {set_name: None for value in entries.values() for set_name in value["sets"] if set_name != ALL_SETS}
    named = {entry.get("default_set", ALL_SETS): None, **others}
    flags = {set_name: 1 << bit for bit, set_name in enumerate(named) if set_name != ALL_SETS}
    members = numbered if entry["module"] == "Hyper-V" else {}
    flags[ALL_SETS] = EVERY_SET
    return Cmdlet(
        name=name,
        module=entry["module"],
        aliases=tuple(entry.get("aliases", ())),
        is_cim=bool(entry.get("cdxml")),
        is_function=bool(entry.get("cdxml")),
        set_names=tuple(named),
        parameters={key: _parameter(key, value, flags, members) for key, value in entries.items()},
        added=_added((*COMMON, *SHOULD_PROCESS) if entry.get("should_process") else tuple(COMMON)),
    )


@cache
def _file() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = json.loads(
        resources.files(__package__).joinpath("cmdlets.json").read_text(encoding="utf-8")
    )
    return loaded


@cache
def load(windows: str) -> Mapping[str, Cmdlet]:
    """The signatures for a Windows Server version ("2016", "2019", "2022" or "2025"), by cmdlet name."""
    contract = _file()
    return {
        name: _cmdlet(name, variant, windows, contract["enumerations"])
        for name, variants in contract["cmdlets"].items()
        for variant in variants
        if windows in variant["windows"]
    }


fact(
    "Windows",
    "Server 2016 does not know `-AutomaticCheckpointsEnabled`, `-HwThreadCountPerCore`, "
    "`-EnableHostResourceProtection`, `-Perfmon`, though its reference shows them",
    "inferred: the pages were copied back",
)
