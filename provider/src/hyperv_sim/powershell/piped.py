"""What a piped object gives a command's parameters: itself (by value) or its properties (by property name).

[BindPipelineParameters of CmdletParameterBinderController in PowerShell's public sources]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hyperv_sim import errors
from hyperv_sim.contract import DEFAULT_SET, Cmdlet, ParameterType, Place
from hyperv_sim.powershell import arguments, properties
from hyperv_sim.powershell.arguments import NotTakenError
from hyperv_sim.powershell.parameter_sets import Sets
from hyperv_sim.records import Scalar


@dataclass(frozen=True, slots=True)
class Piped:
    """One object on its way into a command."""

    cmdlet: Cmdlet
    live: object
    windows: str

    def by_value(self, parameter: ParameterType, place: Place) -> object:
        """The object as it is, if it is of the parameter's type. Raises NotTakenError, as all four do."""
        if not place.by_value or not self._may_be(parameter):
            raise NotTakenError
        return arguments.as_it_is(parameter, self.live)

    def by_property_name(self, parameter: ParameterType, place: Place) -> object:
        """The property of the parameter's name or alias, if it is of the parameter's type."""
        return arguments.as_it_is(parameter, self._property(parameter, place))

    def by_value_converted(self, parameter: ParameterType, place: Place) -> object:
        """The object as the parameter's type: for a text, its text."""
        if not place.by_value or not self._may_be(parameter):
            raise NotTakenError
        try:
            return self._converted(parameter, self.live)
        except errors.ArgumentTransformationError:
            raise NotTakenError from None

    def by_property_name_converted(self, parameter: ParameterType, place: Place) -> object:
        """The property of the parameter's name or alias as the parameter's type."""
        return self._converted(parameter, self._property(parameter, place))

    def _converted(self, parameter: ParameterType, given: object) -> object:
        return arguments.converted(parameter, given, by_function=self.cmdlet.is_function)

    def _may_be(self, parameter: ParameterType) -> bool:
        """A CIM cmdlet's -InputObject takes instances of its own class only."""
        if parameter.type_name != "CimInstance" or not self.cmdlet.is_cim:
            return True
        own = f"#MSFT_{self.cmdlet.name.split('-', 1)[1]}"
        return any(name.endswith(own) for name in properties.type_names(self.live))

    def _property(self, parameter: ParameterType, place: Place) -> object:
        for name in (parameter.name, *parameter.aliases) if place.by_property_name else ():
            found = properties.get(self.live, name, self.windows)
            if found:
                return found[1]
        raise NotTakenError

    def refused(self, identifier: str, why: str) -> errors.PipedObjectError:
        """An error about this object; the next one has its turn all the same."""
        message = f"The input object cannot be bound to any parameters for the command: {why}."
        return self.failed(errors.binding(identifier, message))

    def failed(self, error: errors.TerminatingError) -> errors.PipedObjectError:
        """An error of binding as one about this object."""
        return errors.PipedObjectError(
            error.identifier,
            error.category,
            error.message,
            exception_types=error.exception_types,
            target=Scalar("String", properties.type_names(self.live)[0]),
            details=error.details,
            cause=error.cause,
        )


Source = Callable[[Piped, ParameterType, Place], object]
SOURCES: tuple[Source, ...] = (
    Piped.by_value,
    Piped.by_property_name,
    Piped.by_value_converted,
    Piped.by_property_name_converted,
)


def taken(piped: Piped, sets: Sets, bound: Mapping[str, object]) -> dict[str, object]:
    """The arguments that the object gives; narrows the sets.

    First as it is, then converted; by value before by property name; the default set before the others, and before
    all of them the set that the command line points to.
    """
    taking = _Taking(piped, sets, bound)
    if sets.first:
        taking.from_all_sources(sets.first, settles=False)
        if sets.flags != sets.first:
            taking.from_all_sources(sets.flags & ~sets.first, settles=True)
    else:
        taking.from_all_sources(sets.flags, settles=True)
    return taking.found


@dataclass(slots=True)
class _Taking:
    """The arguments that one object has given so far."""

    piped: Piped
    sets: Sets
    bound: Mapping[str, object]
    found: dict[str, object] = field(default_factory=dict)

    def from_all_sources(self, flags: int, *, settles: bool) -> None:
        """Ask all sources for the parameters of these sets; `settles`: what is found decides on the sets."""
        for source in SOURCES:
            is_found = bool(flags & DEFAULT_SET) and self._from_source(source, DEFAULT_SET)
            is_found = is_found or self._from_source(source, flags)
            if is_found and settles:
                self.sets.settle({**self.bound, **self.found}, before_input=True, take_default=True)
                flags = self.sets.flags

    def _from_source(self, source: Source, flags: int) -> bool:
        """Whether a source gives to any parameter of these sets: the last is asked first, as in PowerShell's loop."""
        is_found = False
        for parameter in reversed(self.piped.cmdlet.pipelined):
            is_free = parameter.name not in self.bound and parameter.name not in self.found
            for place in parameter.places if is_free and parameter.input_flags & flags else ():
                if place.flag & flags and self._gives(source, parameter, place):
                    self.sets.narrow(parameter)
                    is_found = True
                    break
        return is_found

    def _gives(self, source: Source, parameter: ParameterType, place: Place) -> bool:
        try:
            self.found[parameter.name] = source(self.piped, parameter, place)
        except (errors.ArgumentValidationError, errors.ArgumentTransformationError):
            raise
        except (NotTakenError, errors.TerminatingError):
            return False
        return True
