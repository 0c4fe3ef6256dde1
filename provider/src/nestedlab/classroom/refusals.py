"""Why students cannot be seated: the arithmetic, and what helps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from nestedlab.classroom.capacity import Kind, Load
from nestedlab.classroom.course import Course
from nestedlab.errors import NestedlabError
from nestedlab.nat_switch.table import network


class DoesNotFit(NestedlabError):  # noqa: N818 - it is a judgement, not a fault
    """The students cannot be seated, and nothing was changed; the text has the arithmetic."""


def overloaded(loads: Iterable[Load], leaving: Sequence[str]) -> DoesNotFit | None:
    """The refusal if those who have seats already take more than there is."""
    lines = [
        f"{load.parent} has seats of {_students(len(load.students))}, who need "
        f"{kind.of(load.used[kind])} together: {load.limits[kind].text}."
        for load in loads
        if (kind := load.lacking()) is not None
    ]
    if not lines:
        return None
    remedy = "Seats do not move: raise the limits, or take students down with `nestedlab class down STUDENT`."
    return DoesNotFit("\n".join([*lines, *_leaving(leaving), remedy]))


def no_room(
    without: Mapping[str, Mapping[Kind, int]], tried: Sequence[Load], total: int, leaving: Sequence[str]
) -> DoesNotFit:
    """The refusal of students for whom no parent has room: what each needs, and the parents that they may be on."""
    lines = [
        f"There is no room for {len(without)} of {_students(total)}: {_names(without)}.",
        *(_takes(load, without, total) for load in tried),
        *_leaving(leaving),
        "Add a parent, raise the limits, or let the labs take less.",
    ]
    return DoesNotFit("\n".join(lines))


def _takes(load: Load, without: Mapping[str, Mapping[Kind, int]], total: int) -> str:
    """How many a parent takes, and what there is not enough of for one more."""
    lacking = {student: kind for student, takes in without.items() if (kind := load.lacking(takes)) is not None}
    student, kind = next(iter(lacking.items()))
    needs = {takes[kind] for takes in without.values()}
    each = "each" if len(needs) == 1 else student
    used = f", of which {kind.shown(load.used[kind])} are taken" if load.students else ""
    needed = (
        kind.of(without[student][kind]) if kind in (Kind.PROCESSORS, Kind.PORTS) else kind.shown(without[student][kind])
    )
    return (
        f"{load.parent} takes {len(load.students)} of {_students(total)}: {load.limits[kind].text}{used}, "
        f"{each} needs {needed}."
    )


def no_network_left(course: Course, without: Sequence[str], taken: int, on: Sequence[str]) -> DoesNotFit:
    """The refusal of students for whom the pool has no network left, on the parents that they are placed on."""
    pool = network(course.pool)
    has = 2 ** (course.prefix_length - pool.prefixlen)
    length = course.prefix_length
    arithmetic = (
        f"The pool {pool} has {has} networks of /{length}, and {taken} students have one. "
        f"None is left for {_names(without)}."
    )
    remedy = "Use a wider pool, or a greater prefixLength."
    return DoesNotFit("\n".join([arithmetic, *_not_for_students(course, on), remedy]))


def _not_for_students(course: Course, parents: Sequence[str]) -> Iterator[str]:
    for name in parents:
        parent = course.parents[name]
        if parent.reserved:
            yield f"Reserved on {name}: {', '.join(parent.reserved)}."
        if parent.takes_one_nat:
            yield f"The NAT network that all share on {name} has a network of its own."


def no_ports_left(course: Course, student: str, parent: str) -> DoesNotFit:
    """The refusal of a student for whom a parent has ports left, but not enough in a row."""
    return DoesNotFit(
        f"{parent} has no {course.ports_per_student} ports in a row left for {student} in {course.ports}. "
        "Use a wider range, or fewer ports for a student."
    )


def _leaving(leaving: Sequence[str]) -> Iterator[str]:
    if leaving:
        yield (
            f"{_students(len(leaving))} who left the roster still have seats: run "
            f"`nestedlab class down {' '.join(leaving)}` first."
        )


def _students(count: int) -> str:
    return f"{count} student{'s' if count != 1 else ''}"


_MOST_NAMES = 10


def _names(names: Iterable[str]) -> str:
    """Names in a sentence, not more than a reader takes in."""
    named = [*names]
    more = len(named) - _MOST_NAMES
    return ", ".join(named) if more <= 0 else f"{', '.join(named[:_MOST_NAMES])} and {more} more"
