"""The configuration of a student's stack, from the course file and the seat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nestedlab.autonaming import AUTONAMING
from nestedlab.classroom.course import Course, Parent
from nestedlab.classroom.seat import Seat
from nestedlab.classroom.stack_settings import SEAT
from nestedlab.connection import NAMESPACE, Connection


@dataclass(frozen=True)
class Setting:
    """A setting's value, or, if it is secret, where the value is."""

    value: Any = None
    """A text, number or truth value; or an object or list of such, which Pulumi takes as one setting."""
    variable: str | None = None
    """The environment variable that has the secret value."""

    @property
    def is_secret(self) -> bool:
        """Whether the value is sealed in the stack's configuration."""
        return self.variable is not None


def settings(course: Course, seat: Seat, nat_name: str | None = None) -> dict[str, Setting]:
    """All settings of a student's stack by their keys; one without a namespace is the program's.

    `nat_name` is what Windows calls the NAT network that students share on this parent, once it is there.
    """
    override = course.overrides.get(seat.id)
    own = override.config if override is not None else {}
    named = seat if nat_name is None else seat.model_copy(update={"nat": nat_name})
    return {
        **{key: Setting(value) for key, value in {**course.config, **own}.items()},
        **{key: Setting(variable=variable) for key, variable in course.secrets.items()},
        **host_settings(course.parents[seat.parent]),
        SEAT: Setting(named.model_dump(mode="json", by_alias=True, exclude_none=True)),
        AUTONAMING: Setting(naming(course)),
    }


def host_settings(parent: Parent) -> dict[str, Setting]:
    """The settings that lead to a parent: those that the course file has, and the password."""
    return {f"{NAMESPACE}:{key}": setting for key, setting in _host_settings(parent)}


def _host_settings(parent: Parent) -> Iterator[tuple[str, Setting]]:
    given = parent.model_dump(mode="json", by_alias=True, include=set(Connection.model_fields), exclude_unset=True)
    yield from ((key, Setting(value)) for key, value in given.items() if value is not None)
    if parent.password_variable is not None:
        yield "password", Setting(variable=parent.password_variable)


def naming(course: Course) -> Mapping[str, Any]:
    """How machines and switches are named, as Pulumi spells it."""
    return {"pattern": course.naming} if isinstance(course.naming, str) else course.naming
