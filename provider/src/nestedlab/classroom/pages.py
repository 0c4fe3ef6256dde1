"""What the pages of a class show: plain values, of which templates make hand-outs and the trainer's dashboard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from ipaddress import IPv4Address, IPv4Network

from nestedlab.classroom.seat import Seat
from nestedlab.classroom.ways_in import WayIn, ways_in
from nestedlab.topology.model import Machine, Switch, Topology


class Condition(Enum):
    """How a student's lab is; the first that is true counts."""

    UNKNOWN = "unknown"
    FAILED = "failed"
    ABSENT = "not up"
    DRIFTED = "drifted"
    STOPPED = "stopped"
    RUNNING = "running"


@dataclass(frozen=True)
class Operation:
    """What was last done with a student's lab."""

    name: str
    """The command, such as up or reset."""
    at: datetime
    failed: str = ""
    """Why it failed; empty if it did not."""
    log: str = ""
    """The path of its log."""


@dataclass(frozen=True)
class DriftRow:
    """A property that is not as the program says."""

    machine: str
    property: str
    expected: str
    found: str


@dataclass(frozen=True)
class Drift:
    """What the last look for drift has found."""

    at: datetime
    count: int
    """How many properties are not as the program says."""
    rows: tuple[DriftRow, ...] = ()
    """Those of which more is known than their number."""


@dataclass(frozen=True)
class Logon:
    """With what to log on to a machine. What is not known is left blank, to be written by hand."""

    machine: str
    username: str = ""
    password: str = ""


@dataclass(frozen=True)
class Network:
    """The addresses behind a switch, as they are set inside a machine."""

    switch: str
    prefix: str
    mask: str
    gateway: str
    first: str
    """The first address that a machine can have, and the last."""
    last: str


@dataclass(frozen=True)
class StudentPage:
    """A student's seat and lab. Only the seat is always known."""

    seat: Seat
    topology: Topology | None = None
    """None if there is no state yet."""
    changed_at: datetime | None = None
    """When something of the lab was last changed."""
    operation: Operation | None = None
    drift: Drift | None = None
    """None if nobody has looked since something was changed."""
    unread: str = ""
    """Why the state could not be read; empty if it was, or there is none."""
    known_logons: tuple[Logon, ...] = ()

    @property
    def condition(self) -> Condition:
        """How the lab is."""
        true = {
            Condition.UNKNOWN: bool(self.unread),
            Condition.FAILED: self.operation is not None and bool(self.operation.failed),
            Condition.ABSENT: not (self.machines or self.switches),
            Condition.DRIFTED: self.drift is not None and self.drift.count > 0,
            Condition.STOPPED: bool(self.machines) and not self.running,
        }
        return next((condition for condition, holds in true.items() if holds), Condition.RUNNING)

    @property
    def machines(self) -> tuple[Machine, ...]:
        """The lab's machines."""
        return self.topology.machines if self.topology is not None else ()

    @property
    def switches(self) -> tuple[Switch, ...]:
        """The lab's switches."""
        return self.topology.switches if self.topology is not None else ()

    @property
    def running(self) -> int:
        """How many machines run."""
        return sum(machine.runs for machine in self.machines)

    @property
    def memory_gib(self) -> float:
        """The memory given to the machines that run."""
        return sum(machine.memory_mib for machine in self.machines if machine.runs) / 1024

    @property
    def ways_in(self) -> tuple[WayIn, ...]:
        """How to get in from outside."""
        return ways_in(self.topology) if self.topology is not None else ()

    @property
    def networks(self) -> tuple[Network, ...]:
        """The networks whose addresses are known."""
        return tuple(_network(switch) for switch in self.switches if switch.prefix)

    @property
    def logons(self) -> tuple[Logon, ...]:
        """With what to log on to each machine."""
        known = {logon.machine: logon for logon in self.known_logons}
        return tuple(known.get(machine.name, Logon(machine.name)) for machine in self.machines)


@dataclass(frozen=True)
class ParentPage:
    """A parent host of the class, with its students."""

    name: str
    address: str
    students: tuple[StudentPage, ...]
    memory_gib: float | None = None
    """How much memory the class may use there; None if that has no limit."""

    @property
    def machines(self) -> int:
        """How many machines the class has there."""
        return sum(len(student.machines) for student in self.students)

    @property
    def running(self) -> int:
        """How many of them run."""
        return sum(student.running for student in self.students)

    @property
    def memory_used_gib(self) -> float:
        """The memory given to those that run."""
        return sum(student.memory_gib for student in self.students)

    @property
    def changed_at(self) -> datetime | None:
        """When something there was last changed."""
        return max((student.changed_at for student in self.students if student.changed_at is not None), default=None)

    def count(self, condition: Condition) -> int:
        """How many students' labs are so."""
        return counted(self.students, condition)


@dataclass(frozen=True)
class ClassPage:
    """The class as a whole."""

    name: str
    made_at: datetime
    """When these facts were gathered; its time zone is that of all times shown."""
    students: tuple[StudentPage, ...] = ()
    parents: tuple[ParentPage, ...] = ()

    def count(self, condition: Condition) -> int:
        """How many students' labs are so."""
        return counted(self.students, condition)

    @property
    def conditions(self) -> Sequence[Condition]:
        """The conditions that there are in the class."""
        return [condition for condition in Condition if self.count(condition)]


def counted(students: Iterable[StudentPage], condition: Condition) -> int:
    """How many of these students' labs are so."""
    return sum(student.condition is condition for student in students)


def _network(switch: Switch) -> Network:
    network = IPv4Network(switch.prefix, strict=False)
    first, last = network.network_address + 1, network.broadcast_address - 1
    gateway = IPv4Address(switch.gateway) if switch.gateway else None
    # Of a gateway in the middle the table itself tells: it has a column.
    first, last = first + (first == gateway), last - (last == gateway)
    return Network(switch.name, str(network), str(network.netmask), switch.gateway, str(first), str(last))
