"""PowerShell's parameter binding: which parameter set a command line means, and its arguments as .NET types.

The order of steps follows CmdletParameterBinderController of PowerShell's public sources: named, positional, then, per
pipeline object, by value and by property name. Where sets compete, fewer cases are taken than Windows takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hyperv_sim import errors
from hyperv_sim.contract import Cmdlet, ParameterSet
from hyperv_sim.fidelity import POWERSHELL, fact
from hyperv_sim.powershell import conversion
from hyperv_sim.powershell.piped import Piped, taken
from hyperv_sim.records import Parameter, Scalar

ACTIONS = ("Continue", "SilentlyContinue", "Stop", "Ignore")
PREFERENCES = {
    "erroraction": "ErrorAction",
    "ea": "ErrorAction",
    "warningaction": "WarningAction",
    "wa": "WarningAction",
}
# These name a variable, which no session without a language may set. [PowerShell sources, MshCommandRuntime]
VARIABLES = {"errorvariable", "warningvariable", "outvariable", "informationvariable", "pipelinevariable"}
VARIABLE_ALIASES = {"ev", "wv", "ov", "iv", "pv"}
QUIET = {"verbose": "Verbose", "vb": "Verbose", "debug": "Debug", "db": "Debug"}


@dataclass(frozen=True, slots=True)
class Bound:
    """A command ready to run: its parameter set and its arguments by the parameters' own names."""

    set_name: str
    values: Mapping[str, object]


@dataclass(slots=True)
class CommandLine:
    """A command whose own arguments are bound; `sets` are the parameter sets that are still possible."""

    cmdlet: Cmdlet
    sets: Sequence[ParameterSet]
    values: dict[str, object] = field(default_factory=dict)
    preferences: dict[str, str] = field(default_factory=dict)

    def without_input(self) -> Bound:
        """The binding of a command that nothing is piped to."""
        chosen = _chosen(self.sets, self.values)
        return Bound(chosen.name, self.values)

    def with_input(self, live: object, windows: str) -> Bound:
        """The binding for one piped object.

        Raises CmdletError (InputObjectNotBound, InputObjectMissingMandatory), after which the next object has its turn.
        """
        piped = Piped(self.cmdlet, live, windows)
        sets, found = taken(piped, self.sets, self.values)
        values = {**self.values, **found}
        if all(_missing(parameter_set, values) for parameter_set in sets):
            names = " ".join(_missing(_preferred(sets), values))
            raise piped.refused("InputObjectMissingMandatory", f"mandatory parameters are missing: {names}")
        return Bound(_chosen(sets, values).name, values)


def bind(cmdlet: Cmdlet, arguments: Sequence[Parameter], *, expects_input: bool) -> CommandLine:
    """Bind a command's own arguments. Raises TerminatingError if PowerShell refuses them."""
    line = CommandLine(cmdlet, cmdlet.sets)
    for argument in arguments:
        if argument.name is not None:
            _bind_named(line, argument.name.lstrip("-").rstrip(":"), argument.value)
    _narrow(line, line.values)
    for argument in arguments:
        if argument.name is None:
            _bind_positional(line, argument.value)
    if expects_input:
        line.sets = _possible_with_input(line)
    else:
        _chosen(line.sets, line.values)
    return line


def _bind_named(line: CommandLine, name: str, given: object) -> None:
    if _bind_common(line, name.lower(), given):
        return
    parameter = line.cmdlet.parameter(name)
    if parameter is None or not any(parameter.name in parameter_set.places for parameter_set in line.cmdlet.sets):
        raise errors.binding(
            "NamedParameterNotFound", f"A parameter cannot be found that matches parameter name '{name}'."
        )
    if parameter.name in line.values:
        raise errors.binding(
            "ParameterAlreadyBound",
            f"Cannot bind parameter because parameter '{parameter.name}' is specified more than once.",
        )
    line.values[parameter.name] = conversion.convert(parameter, given)


def _bind_common(line: CommandLine, name: str, given: object) -> bool:
    """Whether the name was a common parameter's."""
    text = str(given.value) if isinstance(given, Scalar) and given.type_name == "String" else ""
    if name in VARIABLES | VARIABLE_ALIASES:
        raise errors.TerminatingError(
            "VariableReferenceNotSupportedInDataSection",
            "InvalidOperation",
            "A variable that cannot be referenced in restricted language mode or a Data section is being referenced.",
            exception_types=("System.Management.Automation.RuntimeException", "System.Exception", "System.Object"),
        )
    if name in PREFERENCES:
        action = next((known for known in ACTIONS if known.lower() == text.lower()), None)
        if action is None:
            raise errors.not_simulated(f"-{PREFERENCES[name]} other than {', '.join(ACTIONS)}")
        line.preferences[PREFERENCES[name]] = action
        return True
    if name in QUIET:
        if given is None or not isinstance(given, Scalar) or given.value is not False:
            raise errors.not_simulated(f"-{QUIET[name]}, whose records Windows words in its own way")
        return True
    return False


def _bind_positional(line: CommandLine, given: object) -> None:
    """Bind to the lowest free position that takes it: without conversion first, and the default set first."""
    refusal = errors.binding(
        "PositionalParameterNotFound", "A positional parameter cannot be found that accepts the argument given."
    )
    for converting, name in _positions(line):
        parameter = line.cmdlet.parameters[name]
        if not converting and not conversion.fits(parameter, given):
            continue
        try:
            line.values[name] = conversion.convert(parameter, given)
        except errors.TerminatingError as error:
            refusal = error
            continue
        _narrow(line, line.values)
        return
    raise refusal


def _positions(line: CommandLine) -> list[tuple[bool, str]]:
    """The free positional parameters in the order in which they are tried, each without and with conversion."""
    free = [
        (place.position, converting, not parameter_set.is_default, name)
        for parameter_set in line.sets
        for name, place in parameter_set.places.items()
        for converting in (False, True)
        if place.position is not None and name not in line.values
    ]
    return [(converting, name) for _, converting, _, name in sorted(free)]


def _narrow(line: CommandLine, names: Iterable[str]) -> None:
    wanted = set(names)
    line.sets = [parameter_set for parameter_set in line.sets if wanted <= parameter_set.places.keys()]
    if not line.sets:
        raise _ambiguous()


def _possible_with_input(line: CommandLine) -> Sequence[ParameterSet]:
    """The sets whose missing mandatory parameters can still come from the pipeline."""

    def can_be_piped(parameter_set: ParameterSet) -> bool:
        missing = [parameter_set.places[name] for name in _missing(parameter_set, line.values)]
        return all(place.by_value or place.by_property_name for place in missing)

    possible = [parameter_set for parameter_set in line.sets if can_be_piped(parameter_set)]
    if not possible:
        raise _missing_mandatory(_preferred(line.sets), line.values)
    return possible


def _chosen(sets: Sequence[ParameterSet], values: Mapping[str, object]) -> ParameterSet:
    """The one parameter set that all this means: the default one if complete, else the only complete one."""
    complete = [parameter_set for parameter_set in sets if not _missing(parameter_set, values)]
    default = [parameter_set for parameter_set in complete if parameter_set.is_default]
    if default or len(complete) == 1:
        return (default or complete)[0]
    if complete or (len(sets) > 1 and not any(parameter_set.is_default for parameter_set in sets)):
        raise _ambiguous()
    raise _missing_mandatory(_preferred(sets), values)


def _preferred(sets: Sequence[ParameterSet]) -> ParameterSet:
    return next((parameter_set for parameter_set in sets if parameter_set.is_default), sets[0])


def _missing(parameter_set: ParameterSet, values: Mapping[str, object]) -> list[str]:
    return [name for name, place in parameter_set.places.items() if place.mandatory and name not in values]


def _ambiguous() -> errors.TerminatingError:
    return errors.binding(
        "AmbiguousParameterSet", "Parameter set cannot be resolved using the specified named parameters."
    )


def _missing_mandatory(parameter_set: ParameterSet, values: Mapping[str, object]) -> errors.TerminatingError:
    names = " ".join(_missing(parameter_set, values))
    return errors.binding(
        "MissingMandatoryParameter",
        f"Cannot process command because of one or more missing mandatory parameters: {names}.",
    )


fact(
    "PowerShell",
    "parameters by their names in full or a listed alias, never by a prefix, which Windows takes if it is clear",
    f"stricter than {POWERSHELL}",
)
fact("PowerShell", "`-OutVariable`, `-ErrorVariable` and kin are refused as without a language", POWERSHELL)
fact("PowerShell", "`-Verbose` and `-Debug` are refused", "not simulated")
