"""What is to be done for one student, and what came of it: plain values, so that another process can do it.

Whatever does it needs these values, the environment variables that they name, and the Pulumi CLI. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any


class Operation(Enum):
    """What a command does for each student; the values are what users read."""

    UP = "up"
    PLAN = "plan"
    DRIFT = "drift"
    HEAL = "heal"
    RESET = "reset"
    STOP = "stop"
    START = "start"
    DOWN = "down"
    STATUS = "status"
    UNLOCK = "unlock"


@dataclass(frozen=True)
class Place:
    """Where one student's stack is worked on."""

    stack: str
    """The stack's name, which is the student's id."""
    project: str
    """The name of the lab program's project."""
    folder: Path
    """The work folder: a copy of the program, and the stack's configuration."""
    backend: str
    """The address of the backend."""
    secrets_provider: str
    log: Path
    """The file that gets all that Pulumi prints."""
    parallel: int | None = None
    """How many resources are worked on at once; None is Pulumi's own number."""

    @property
    def settings(self) -> Path:
        """The stack's configuration file."""
        return self.folder / f"Pulumi.{self.stack}.yaml"


@dataclass(frozen=True)
class Work:
    """An operation on one student's stack."""

    operation: Operation
    place: Place
    parent: str
    """The parent host, by its name in the course file."""
    program: Path | None = None
    """The lab program's folder, if the work folder is to get a copy of it as it is now."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The plain settings by key, namespace included: all of them with a program, else those that change."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """The environment variables that have the secret settings, by key."""
    plan: Path | None = None
    """The file of a saved plan, to write or to keep to."""

    @property
    def student(self) -> str:
        """The student's id."""
        return self.place.stack


@dataclass(frozen=True)
class Drift:
    """A property that is not as the program has set it."""

    urn: str
    resource: str
    """The resource's logical name."""
    kind: str
    """What it is, in a word."""
    property: str
    """By its name in the state; "" if the whole resource is gone."""
    expected: Any = None
    found: Any = None


@dataclass(frozen=True)
class Outcome:
    """What came of a work."""

    student: str
    operation: Operation
    error: str = ""
    """Why it failed, in a few words; "" if it did not."""
    interrupted: bool = False
    seconds: float = 0
    log: str = ""
    """The file with what Pulumi has printed."""
    changes: Mapping[str, int] = field(default_factory=dict)
    """The number of resources by what was done with them, in Pulumi's words."""
    drift: tuple[Drift, ...] = ()
    notes: tuple[str, ...] = ()
    """What the user should know besides."""
    state: Mapping[str, Any] | None = None
    """The stack's deployment, for a status; without secrets."""

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return not self.error


Report = Callable[[str, str], None]
"""Takes a student's id and what is being done for them now."""
