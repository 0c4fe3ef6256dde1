"""A command as a restricted endpoint shows it: some of its parameters, with further checks, in a function of its name.

[ProcessCommandModifications of InitialSessionState in PowerShell's public sources]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hyperv_sim.contract import DEFAULT_SET, EVERY_SET, Cmdlet, ParameterType


@dataclass(frozen=True, slots=True)
class Check:
    """What a role lets through for one parameter: these `values` alone, or what the whole `pattern` describes."""

    values: tuple[str, ...] = ()
    pattern: str = ""


def proxy(cmdlet: Cmdlet, shown: Mapping[str, Check]) -> Cmdlet:
    """The function that stands for the command; `shown` has the parameters that are left, in lower case.

    A parameter set that has no parameter left is gone, unless it is the default one.
    """
    left = [parameter for parameter in cmdlet.parameters.values() if parameter.name.lower() in shown]
    kept = [1 << bit for bit in range(len(cmdlet.set_names)) if _is_kept(1 << bit, left)]
    flags = {flag: 1 << bit for bit, flag in enumerate(kept)}
    parameters = {parameter.name: _shown(parameter, shown[parameter.name.lower()], flags) for parameter in left}
    return replace(
        cmdlet, is_function=True, set_names=tuple(cmdlet.set_name(flag) for flag in kept), parameters=parameters
    )


def _is_kept(flag: int, left: list[ParameterType]) -> bool:
    return flag == DEFAULT_SET or any(place.flag == flag for parameter in left for place in parameter.places)


def _shown(parameter: ParameterType, check: Check, flags: Mapping[int, int]) -> ParameterType:
    places = tuple(replace(place, flag=flags.get(place.flag, EVERY_SET)) for place in parameter.places)
    return replace(parameter, places=places, only=check.values, pattern=check.pattern)
