"""How much of a parent its students may take, and how much they do, in whole MiB, processors and ports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from nestedlab.classroom.course import MIB_IN_GIB, Course, Need, mib
from nestedlab.classroom.seat import Seat


class Kind(Enum):
    """What a parent has a limited amount of; the values are what users read."""

    MEMORY = "memory"
    DISK = "disk"
    PROCESSORS = "processors"
    PORTS = "ports"

    @property
    def _is_in_gib(self) -> bool:
        return self in (Kind.MEMORY, Kind.DISK)

    @property
    def key(self) -> str:
        """The key of an amount in JSON, as in the course file."""
        return f"{self.value}Gib" if self._is_in_gib else self.value

    def plain(self, amount: int) -> float:
        """An amount in the unit of `key`."""
        return amount / MIB_IN_GIB if self._is_in_gib else amount

    def shown(self, amount: int) -> str:
        """The amount with its unit; processors and ports have none."""
        return f"{self.plain(amount):g} GiB" if self._is_in_gib else str(amount)

    def of(self, amount: int) -> str:
        """An amount in a sentence."""
        if self._is_in_gib:
            return f"{self.shown(amount)} of {self.value}"
        return f"{amount} {self.value if amount != 1 else self.value[:-1]}"


@dataclass(frozen=True)
class Limit:
    """The most that all students on a parent may take of something."""

    amount: int
    text: str
    """Where the amount comes from."""


@dataclass(frozen=True)
class Needs:
    """What each student's lab takes."""

    common: Need
    own: Mapping[str, Need] = field(default_factory=dict)
    """That of students whose labs differ, by their ids."""
    notes: tuple[str, ...] = ()
    """What is not counted, in sentences."""

    def of(self, student: str) -> Need:
        """What the lab of a student takes."""
        return self.own.get(student, self.common)


@dataclass
class Load:
    """What the students on a parent take."""

    parent: str
    limits: Mapping[Kind, Limit]
    """Those that are judged."""
    used: Counter[Kind] = field(default_factory=Counter)
    students: list[str] = field(default_factory=list)
    """Their ids."""

    def take(self, student: str, amounts: Mapping[Kind, int]) -> None:
        """Count a student in."""
        self.used.update(amounts)
        self.students.append(student)

    def lacking(self, amounts: Mapping[Kind, int] | None = None) -> Kind | None:
        """What there would not be enough of with one more student; without one, what there is too little of now."""
        after = self.used + Counter(amounts or {})
        return next((kind for kind, limit in self.limits.items() if after[kind] > limit.amount), None)

    def fullness(self, amounts: Mapping[Kind, int]) -> float:
        """How full the parent would be with one more student: what it has least left of counts, 1 is full."""
        after = self.used + Counter(amounts)
        return max(
            after[kind] / limit.amount for kind, limit in self.limits.items() if limit.amount and kind is not Kind.PORTS
        )


def amounts(course: Course, need: Need) -> dict[Kind, int]:
    """What one student takes of a parent."""
    return {
        Kind.MEMORY: mib(need.memory_gib),
        Kind.DISK: mib(need.disk_gib),
        Kind.PROCESSORS: need.processors,
        Kind.PORTS: course.ports_per_student,
    }


def amounts_of(course: Course, need: Need, seat: Seat) -> dict[Kind, int]:
    """The same of one who has a seat: the ports are the seat's, as far as they are still in the course's range."""
    first, last = max(seat.first_port, course.ports.first), min(seat.last_port, course.ports.last)
    return {**amounts(course, need), Kind.PORTS: max(0, last - first + 1)}


def empty(course: Course, parent: str) -> Load:
    """A parent without students."""
    return Load(parent, dict(_limits(course, parent)))


def _limits(course: Course, name: str) -> Iterator[tuple[Kind, Limit]]:
    parent = course.parents[name]
    usable = parent.memory_gib - parent.host_memory_gib
    kept = f"{parent.memory_gib:g} GiB - {parent.host_memory_gib:g} GiB for the host = {usable:g} GiB of memory"
    yield Kind.MEMORY, Limit(mib(usable), kept)
    if parent.disk_gib is not None:
        yield Kind.DISK, Limit(mib(parent.disk_gib), f"{parent.disk_gib:g} GiB of disk")
    if parent.cores is not None:
        most = int(parent.cores * parent.processors_per_core)
        text = f"{parent.cores} cores x {parent.processors_per_core:g} = {most} processors"
        yield Kind.PROCESSORS, Limit(most, text)
    yield Kind.PORTS, Limit(course.ports.size, f"{course.ports} are {course.ports.size} ports")
