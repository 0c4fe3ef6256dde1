"""What a piped object gives a command's parameters: itself (by value) or its properties (by property name)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hyperv_sim import errors
from hyperv_sim.contract import Cmdlet, ParameterSet, ParameterType, Place
from hyperv_sim.fidelity import POWERSHELL, fact
from hyperv_sim.powershell import conversion, properties
from hyperv_sim.records import EnumMember, Scalar


@dataclass(frozen=True, slots=True)
class Piped:
    """One object on its way into a command."""

    cmdlet: Cmdlet
    live: object
    windows: str

    def by_value(self, parameter: ParameterType, place: Place) -> Iterator[object]:
        """The object as it is, if it is of the parameter's type."""
        if place.by_value and self._is_a(parameter):
            yield from _converted(parameter, self.live)

    def by_property_name(self, parameter: ParameterType, place: Place) -> Iterator[object]:
        """The property of the parameter's name or alias, if it is of the parameter's type."""
        found = self._property(parameter) if place.by_property_name else None
        if found is not None and conversion.fits(parameter, found):
            yield from _converted(parameter, found)

    def by_value_converted(self, parameter: ParameterType, place: Place) -> Iterator[object]:
        """The converted value. An object is never turned into text, as Windows would, to no good end."""
        if place.by_value and isinstance(self.live, Scalar | EnumMember):
            yield from _converted(parameter, self.live)

    def by_property_name_converted(self, parameter: ParameterType, place: Place) -> Iterator[object]:
        """The converted property of the parameter's name or alias."""
        found = self._property(parameter) if place.by_property_name else None
        if found is not None:
            yield from _converted(parameter, found)

    def _is_a(self, parameter: ParameterType) -> bool:
        """A CIM cmdlet's -InputObject takes instances of its own class only; other CIM parameters are not simulated."""
        if parameter.type_name == "CimInstance":
            own = f"#MSFT_{self.cmdlet.name.split('-', 1)[1]}"
            return parameter.name == "InputObject" and any(
                name.endswith(own) for name in properties.type_names(self.live)
            )
        return conversion.fits(parameter, self.live)

    def _property(self, parameter: ParameterType) -> object:
        for name in (parameter.name, *parameter.aliases):
            found = properties.get(self.live, name, self.windows)
            if found:
                return found[1]
        return None

    def refused(self, identifier: str, why: str) -> errors.CmdletError:
        """An error about this object; the next one has its turn all the same."""
        message = f"The input object cannot be bound to any parameters for the command: {why}."
        return errors.CmdletError(
            identifier,
            "InvalidArgument",
            message,
            exception_types=errors.BINDING_EXCEPTION,
            target=Scalar("String", properties.type_names(self.live)[0]),
        )


Source = Callable[[Piped, ParameterType, Place], Iterator[object]]
ROUNDS: tuple[tuple[Source, Source], ...] = (
    (Piped.by_value, Piped.by_property_name),
    (Piped.by_value_converted, Piped.by_property_name_converted),
)


def taken(
    piped: Piped, sets: Sequence[ParameterSet], bound: Mapping[str, object]
) -> tuple[Sequence[ParameterSet], dict[str, object]]:
    """The arguments that the object gives, and the parameter sets that they leave.

    First as it is, then converted; by value before by property name; the default set before the others.
    """
    for sources in ROUNDS:
        left, found = sets, dict[str, object]()
        for source in sources:
            for parameter_set in sorted(left, key=lambda each: not each.is_default):
                given = _given(piped, source, parameter_set, {**bound, **found})
                if given:
                    found |= given
                    left = [other for other in left if given.keys() <= other.places.keys()]
                    break
        if found:
            return left, found
    raise piped.refused("InputObjectNotBound", "it takes no such object, and no property of the object matches")


def _given(piped: Piped, source: Source, parameter_set: ParameterSet, bound: Mapping[str, object]) -> dict[str, object]:
    free = {name: place for name, place in parameter_set.places.items() if name not in bound}
    return {
        name: value for name, place in free.items() for value in source(piped, piped.cmdlet.parameters[name], place)
    }


def _converted(parameter: ParameterType, live: object) -> Iterator[object]:
    try:
        yield conversion.convert(parameter, live)
    except errors.TerminatingError:
        return


fact("PowerShell", "a piped object is bound as what it is, never as its text", f"stricter than {POWERSHELL}")
