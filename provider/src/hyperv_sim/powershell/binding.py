"""PowerShell's parameter binding of a command line: named arguments, then positional ones, then what must not lack.

[CmdletParameterBinderController in PowerShell's public sources; over a thousand calls were tried on a PowerShell 7.6]
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from hyperv_sim import errors
from hyperv_sim.contract import DEFAULT_SET, Cmdlet, ParameterType
from hyperv_sim.powershell import conversion
from hyperv_sim.powershell.arguments import NotTakenError, as_it_is, converted
from hyperv_sim.powershell.parameter_names import matching
from hyperv_sim.powershell.parameter_sets import Sets, mandatory_missing
from hyperv_sim.powershell.piped import Piped, taken
from hyperv_sim.records import NetObject, Parameter, Scalar, Value


@dataclass(frozen=True, slots=True)
class Bound:
    """A command ready to run: its parameter set and its arguments by the parameters' own names."""

    set_name: str
    values: Mapping[str, object]


@dataclass(slots=True)
class CommandLine:
    """A command whose own arguments are bound; `sets` are the parameter sets that are still possible.

    `added` are the arguments for parameters that PowerShell adds to every command.
    """

    cmdlet: Cmdlet
    sets: Sets
    values: dict[str, object] = field(default_factory=dict)
    added: dict[str, object] = field(default_factory=dict)

    def without_input(self) -> Bound:
        """The binding of a command that nothing is piped to."""
        return Bound(self.cmdlet.set_name(self.sets.flags), self.values)

    def with_input(self, live: object, windows: str) -> Bound:
        """The binding for one piped object.

        Raises CmdletError (InputObjectNotBound, InputObjectMissingMandatory), after which the next object has its turn.
        """
        piped = Piped(self.cmdlet, live, windows)
        sets = Sets(self.cmdlet, self.sets.flags, self.sets.first)
        try:
            found = taken(piped, sets, self.values)
            values = {**self.values, **found}
            sets.settle(values, before_input=False, take_default=True)
            sets.verify_selected()
        except errors.TerminatingError as error:
            raise piped.failed(error) from None
        if not found:
            raise piped.refused("InputObjectNotBound", "it takes no such object, and no property of the object matches")
        missing = sets.missing(values)
        if missing:
            names = " ".join(missing)
            raise piped.refused("InputObjectMissingMandatory", f"mandatory parameters are missing: {names}")
        return Bound(self.cmdlet.set_name(sets.flags), values)

    def bind(self, parameter: ParameterType, value: object) -> None:
        """Note an argument that is converted, and leave the sets that have the parameter."""
        (self.added if parameter.is_added else self.values)[parameter.name] = value
        self.sets.narrow(parameter)


class _Left(NamedTuple):
    """An argument that is not bound yet."""

    name: str | None
    value: Value


def bind(cmdlet: Cmdlet, arguments: Sequence[Parameter], *, expects_input: bool) -> CommandLine:
    """Bind a command's own arguments. Raises TerminatingError if PowerShell refuses them."""
    line = CommandLine(cmdlet, Sets(cmdlet))
    left = deque(_Left(name, value) for name, value in _with_values(cmdlet, arguments))
    left = deque(each for each in left if each.name is None or not _bind_named(line, each.name, each.value))
    refused = _bind_positional(line, left)
    line.sets.settle(line.values, before_input=True, take_default=False)
    if refused:
        raise refused
    missing = _missing_before_input(line) if expects_input else _missing(line)
    if missing:
        raise mandatory_missing(missing)
    if not expects_input:
        line.sets.verify_selected()
    return line


def _with_values(cmdlet: Cmdlet, arguments: Sequence[Parameter]) -> Iterator[tuple[str | None, Value]]:
    """Names without a dash and values: a name alone is a switch, or the next argument is its value.

    [ParameterBinderController.ReparseUnboundArguments; `-Name` alone is a name with a dash and no value, `-Name:$null`
    one with a dash and a colon; a name without a dash always has its value]
    """
    waiting = deque(arguments)
    while waiting:
        name, value = (argument := waiting.popleft()).name, argument.value
        if name is not None and name.startswith("-"):
            name, is_alone = name[1:].removesuffix(":"), value is None and not name.endswith(":")
            parameter = matching(cmdlet, name) if is_alone and name else None
            if parameter and parameter.is_switch:
                value = Scalar("Boolean", value=True)
            elif parameter:
                value = _next_value(parameter, waiting)
        yield name, value


def _next_value(parameter: ParameterType, waiting: deque[Parameter]) -> Value:
    if not waiting or waiting[0].name is not None:
        type_name = f"{conversion.type_name(parameter)}{'[]' if parameter.is_array else ''}"
        raise errors.binding(
            "MissingArgument",
            f"Missing an argument for parameter '{parameter.name}'. Specify a parameter of type '{type_name}' and try "
            "again.",
            parameter=parameter.name,
        )
    return waiting.popleft().value


def _bind_named(line: CommandLine, name: str, given: object) -> bool:
    """Whether the command has such a parameter."""
    parameter = matching(line.cmdlet, name) if name else None
    if parameter is None:
        return False
    if parameter.name in line.values or parameter.name in line.added:
        raise errors.binding(
            "ParameterAlreadyBound",
            f"Cannot bind parameter because parameter '{name}' is specified more than once.",
            parameter=name,
        )
    line.bind(parameter, _converted(line.cmdlet, parameter, given))
    return True


def _converted(cmdlet: Cmdlet, parameter: ParameterType, given: object) -> object:
    return converted(parameter, given, by_function=cmdlet.is_function and not parameter.is_added)


def _bind_positional(line: CommandLine, left: deque[_Left]) -> errors.TerminatingError | None:
    """Bind to one free position after the other; returns the error for the first argument that is not bound."""
    unbound: list[_Left] = []
    refusal: errors.TerminatingError | None = None
    for position in _positions(line) if left else ():
        argument = _next_positional(left, unbound)
        if argument is None:
            break
        bound, refusal = _bind_at(line, position, argument.value)
        if not bound:
            unbound.append(argument)
    unbound += left
    if not unbound:
        return None
    name = unbound[0].name
    if name is None:
        return refusal or errors.binding(
            "PositionalParameterNotFound", "A positional parameter cannot be found that accepts the argument given."
        )
    return errors.binding(
        "NamedParameterNotFound", f"A parameter cannot be found that matches parameter name '{name}'.", parameter=name
    )


def _next_positional(left: deque[_Left], unbound: list[_Left]) -> _Left | None:
    """The next argument without a name; what follows an unknown name counts as its value."""
    while left:
        argument = left.popleft()
        if argument.name is None:
            return argument
        unbound.append(argument)
        if left and left[0].name is None:
            unbound.append(left.popleft())
    return None


def _positions(line: CommandLine) -> Iterator[int]:
    """The positions of parameters without an argument, in order; those that an argument rules out are passed over."""
    free = {
        place.position
        for parameter in line.cmdlet.parameters.values()
        for place in parameter.places
        if place.position is not None
    }
    for position in sorted(free):
        if any(_at(line, position, line.sets.flags)):
            yield position


def _at(line: CommandLine, position: int, flags: int) -> Iterator[ParameterType]:
    for parameter in line.cmdlet.parameters.values():
        places = (place for place in parameter.places if place.position == position and place.flag & flags)
        if parameter.name not in line.values and any(places):
            yield parameter


def _bind_at(line: CommandLine, position: int, given: object) -> tuple[bool, errors.TerminatingError | None]:
    """Bind to a position: as it is before converted, and the default set before the others.

    Returns whether that was possible, and what the last attempt was refused with.
    """
    flags = line.sets.flags
    refusals: list[errors.TerminatingError] = []
    for take in (_as_it_is, partial(_converted, line.cmdlet)):
        for among in (DEFAULT_SET, flags) if flags & DEFAULT_SET else (flags,):
            refusals.clear()
            if [each for each in list(_at(line, position, among)) if _takes(line, each, take, given, refusals)]:
                return True, None
    return False, refusals[-1] if refusals else None


def _as_it_is(parameter: ParameterType, given: object) -> object:
    """A plain value is no object of PowerShell's own before it is converted to one."""
    if parameter.type_name == "PSObject" and not isinstance(given, NetObject):
        raise NotTakenError
    return as_it_is(parameter, given)


def _takes(
    line: CommandLine,
    parameter: ParameterType,
    take: Callable[[ParameterType, object], object],
    given: object,
    refusals: list[errors.TerminatingError],
) -> bool:
    """Bind to the parameter, if it takes the argument so; if it refuses it in a way that others may not, note why."""
    try:
        line.bind(parameter, take(parameter, given))
    except (errors.ArgumentValidationError, errors.ArgumentTransformationError):
        raise
    except NotTakenError:
        return False
    except errors.TerminatingError as error:
        refusals.append(error)
        return False
    return True


def _missing(line: CommandLine) -> list[str]:
    line.sets.settle(line.values, before_input=False, take_default=True)
    return line.sets.missing(line.values)


def _missing_before_input(line: CommandLine) -> list[str]:
    count = line.sets.settle(line.values, before_input=True, take_default=False)
    if count > 1:
        flags = line.sets.that_take_input(line.values)
        if flags != line.sets.flags:
            line.sets.flags = flags
            count = line.sets.settle(line.values, before_input=True, take_default=False)
    return line.sets.missing_before_input(line.values, count)
