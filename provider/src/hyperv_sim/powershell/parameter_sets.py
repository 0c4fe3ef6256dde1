"""Which parameter sets a command line leaves, and which mandatory parameters it lacks.

[ValidateParameterSets and GetMissingMandatoryParameters of CmdletParameterBinderController in PowerShell's public
sources: the same questions in the same order]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hyperv_sim import errors
from hyperv_sim.contract import DEFAULT_SET, EVERY_SET, Cmdlet, ParameterType, Place
from hyperv_sim.fidelity import TRIED, fact


@dataclass(slots=True)
class Missing:
    """The mandatory parameters of one parameter set, or of all, that have no argument, sorted by their source.

    `piped` can come from the pipeline, `by_value` and `by_property_name` say in which way; `never` cannot.
    """

    flag: int
    piped: list[str] = field(default_factory=list)
    by_value: list[str] = field(default_factory=list)
    by_property_name: list[str] = field(default_factory=list)
    never: list[str] = field(default_factory=list)

    def add(self, name: str, place: Place) -> None:
        """Sort a parameter in."""
        for wanted, names in (
            (place.takes_input, self.piped),
            (place.by_value, self.by_value),
            (place.by_property_name, self.by_property_name),
            (not place.takes_input, self.never),
        ):
            if wanted:
                names.append(name)


@dataclass(slots=True)
class Sets:
    """The parameter sets that are still possible, as flags. `first` is tried before the others with a piped object."""

    cmdlet: Cmdlet
    flags: int = EVERY_SET
    first: int = 0

    def narrow(self, parameter: ParameterType) -> None:
        """Leave the sets that the parameter belongs to."""
        self.flags &= parameter.flags

    def settle(self, bound: Mapping[str, object], *, before_input: bool, take_default: bool) -> int:
        """How many sets are left, once those that cannot be meant are gone.

        `before_input`: a piped object may still decide. `take_default`: the default set is chosen if it is possible.
        Raises TerminatingError if no set is left, or several with nothing to decide between them.
        """
        undecided = self.flags == EVERY_SET
        if not self.flags:
            raise ambiguous()
        count = len(self.cmdlet.set_names) if undecided else self.flags.bit_count()
        if not undecided and count == 1:
            return count
        if self.flags & DEFAULT_SET and not (undecided and before_input and self._takes_input(bound)):
            if take_default:
                self.flags, count = DEFAULT_SET, 1
        elif not (before_input and self._takes_input(bound)):
            self.flags, count = self._without_missing(bound), 1
        return count

    def verify_selected(self) -> None:
        """Choose the default set if nothing has narrowed the sets."""
        if len(self.cmdlet.set_names) > 1 and self.flags == EVERY_SET:
            self.flags = DEFAULT_SET

    def that_take_input(self, bound: Mapping[str, object]) -> int:
        """The flags of the possible sets that a piped object can still give something to; all, if none can."""
        found = 0
        for parameter in self.cmdlet.pipelined:
            if parameter.name not in bound:
                found |= parameter.input_flags
        return self.flags & found or self.flags

    def missing(self, bound: Mapping[str, object]) -> list[str]:
        """The mandatory parameters of the possible sets that have no argument, if nothing is piped."""
        return [
            parameter.name
            for parameter in self.cmdlet.mandatory
            if parameter.name not in bound
            and any(place.mandatory and place.flag & self.flags for place in parameter.places)
        ]

    def missing_before_input(self, bound: Mapping[str, object], count: int) -> list[str]:
        """The mandatory parameters that no piped object can give any more; narrows the sets to those that make sense.

        Raises TerminatingError if no set does.
        """
        by_set: dict[int, Missing] = {}
        for parameter in self.cmdlet.mandatory:
            for place in parameter.places if parameter.name not in bound else ():
                if place.mandatory and place.flag & self.flags:
                    by_set.setdefault(place.flag, Missing(place.flag)).add(parameter.name, place)
        return self._latched(list(by_set.values()), count) if by_set else []

    def _latched(self, groups: Sequence[Missing], count: int) -> list[str]:
        """What is missing in the set that the missing parameters point to."""
        in_sets = [group for group in groups if group.flag != EVERY_SET]
        flags = sum({group.flag for group in in_sets}) & self.flags or self.flags
        if len(in_sets) < len(groups):
            flags = self.flags & self.cmdlet.all_sets
        is_default_complete = count > 1 and DEFAULT_SET & self.flags and not DEFAULT_SET & flags
        if is_default_complete and not any(group.piped for group in in_sets):
            flags = self.flags = self.flags & ~flags
            if self.flags != DEFAULT_SET:
                self.first = DEFAULT_SET
        if not flags:
            raise ambiguous()
        if flags != EVERY_SET and flags.bit_count() > 1:
            return [] if self.first else self._decided(groups, flags)
        return _never(groups, flags)

    def _decided(self, groups: Sequence[Missing], flags: int) -> list[str]:
        if DEFAULT_SET & flags and self._is_default_meant(groups):
            self.flags = DEFAULT_SET
            return _never(groups, DEFAULT_SET)
        possible = [group for group in groups if group.flag & flags and group.flag != EVERY_SET]
        by_value = [group.flag for group in possible if group.by_value]
        by_name = [group.flag for group in possible if group.by_property_name]
        chosen = _agreed(by_value, by_name)
        if not chosen and _never(groups, flags):
            chosen = _single(by_value)
            if not chosen:
                self._drop_incomplete(possible, is_clear=len(by_value) <= 1 and len(by_name) <= 1)
        return self._preferred(groups, chosen) if chosen else []

    def _is_default_meant(self, groups: Sequence[Missing]) -> bool:
        others = [group for group in groups if not group.flag & DEFAULT_SET]
        other_takes = any(group.piped and not group.never for group in others)
        other_takes_by_name = any(group.by_property_name for group in others)
        default = next((group for group in groups if group.flag == DEFAULT_SET), None)
        if default and default.by_property_name and not other_takes_by_name:
            return True
        return not other_takes or any(group.never for group in groups if group.flag == EVERY_SET)

    def _preferred(self, groups: Sequence[Missing], chosen: int) -> list[str]:
        """Settle on a set, or at least try it first if another that lacks nothing is possible."""
        if any(group.never for group in groups if group.flag == chosen):
            self.flags = chosen
        else:
            self._drop(sum({group.flag for group in groups if not group.flag & chosen}))
            if self.flags != chosen:
                self.first = chosen
        return _never(groups, chosen)

    def _drop_incomplete(self, groups: Sequence[Missing], *, is_clear: bool) -> None:
        if is_clear:
            raise ambiguous()
        self._drop(sum({group.flag for group in groups if group.never}))
        if not self.flags:
            raise ambiguous()

    def _drop(self, flags: int) -> None:
        if flags:
            self.flags = (self.cmdlet.all_sets if self.flags == EVERY_SET else self.flags) & ~flags

    def _takes_input(self, bound: Mapping[str, object]) -> bool:
        return any(
            parameter.input_flags & self.flags for parameter in self.cmdlet.pipelined if parameter.name not in bound
        )

    def _without_missing(self, bound: Mapping[str, object]) -> int:
        """The only set that lacks no mandatory parameter. Raises TerminatingError if there is not one alone."""
        places = [(name, place) for name, each in self.cmdlet.parameters.items() for place in each.places]
        left = self.flags & sum({place.flag for _, place in places} - {EVERY_SET})
        for name, place in places:
            if place.mandatory and name not in bound and place.flag != EVERY_SET:
                left &= ~place.flag
        if left.bit_count() != 1:
            raise ambiguous()
        return left


def _single(flags: Sequence[int]) -> int:
    return flags[0] if len(flags) == 1 else 0


def _agreed(by_value: Sequence[int], by_name: Sequence[int]) -> int:
    """The only set that takes a piped object, whether by value, by property name, or both; else 0."""
    value, name = _single(by_value), _single(by_name)
    if by_value and by_name:
        return value if value == name else 0
    return value or name


def _never(groups: Sequence[Missing], flags: int) -> list[str]:
    return [name for group in groups if group.flag & flags for name in group.never]


def ambiguous() -> errors.TerminatingError:
    """The error if the arguments point to several parameter sets, or to none."""
    return errors.binding(
        "AmbiguousParameterSet", "Parameter set cannot be resolved using the specified named parameters."
    )


def mandatory_missing(names: Sequence[str]) -> errors.TerminatingError:
    """The error if mandatory parameters have no argument: nobody can be asked for them.

    Its ParameterName has all the names, with a space before each. [recorded]
    """
    spaced = "".join(f" {name}" for name in names)
    return errors.binding(
        "MissingMandatoryParameter",
        f"Cannot process command because of one or more missing mandatory parameters:{spaced}.",
        parameter=spaced,
    )


fact("PowerShell", "parameter sets: which one a command line and a piped object mean, and what is then missing", TRIED)
