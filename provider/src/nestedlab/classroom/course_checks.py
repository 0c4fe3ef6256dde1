"""What the parts of a course file must have to do with each other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeAlias

from nestedlab.autonaming import AUTONAMING, TOKENS, NoNameError, Stack, physical_name
from nestedlab.classroom.course import Course, Parent, Student
from nestedlab.classroom.failures import nearest
from nestedlab.classroom.marked_yaml import Where
from nestedlab.classroom.settings import naming
from nestedlab.classroom.shared_nat import shared_nat
from nestedlab.classroom.stack_settings import CLASS_SETTINGS
from nestedlab.connection import HOSTS, NAMESPACE, SETTINGS
from nestedlab.errors import ConfigurationError
from nestedlab.nat_switch.table import network

Failure: TypeAlias = tuple[Where, str]
"""The keys to what is wrong, and what is wrong with it."""

_OF_THE_CLASS = (*CLASS_SETTINGS, AUTONAMING)
_PROGRAMS_OWN = (HOSTS,)


def failures_of(course: Course) -> Iterator[Failure]:
    """What is wrong with a course file whose parts are right by themselves."""
    yield from _room(course)
    yield from _hosts(course.parents)
    yield from _naming(naming(course))
    for where, config in _configs(course):
        for key in config:
            yield from (((*where, key), text) for text in _settings(key))
    for key in course.config.keys() & course.secrets.keys():
        yield ("secrets", key), "is in config too. Remove one of the two."


def failures_of_roster(course: Course, students: Collection[Student]) -> Iterator[Failure]:
    """What is wrong with what the course file has on single students."""
    ids = [student.id for student in students]
    for student, override in course.overrides.items():
        if student not in ids:
            yield ("overrides", student), f"unknown student; {nearest(student, ids, 'see the roster')}"
        if override.parent is not None and override.parent not in course.parents:
            hint = nearest(override.parent, course.parents, f"there are {', '.join(course.parents)}")
            yield ("overrides", student, "parent"), f"unknown parent {override.parent!r}; {hint}"


def _room(course: Course) -> Iterator[Failure]:
    pool = network(course.pool)
    if course.prefix_length < pool.prefixlen:
        text = f"a network of /{course.prefix_length} is wider than the pool {pool}. Use a greater length."
        yield ("prefixLength",), text
    if course.ports_per_student > course.ports.size:
        text = f"has {course.ports.size} ports, and a student gets {course.ports_per_student}. Use a wider range."
        yield ("ports",), text
    for name, parent in course.parents.items():
        if parent.host_memory_gib >= parent.memory_gib:
            text = (
                f"leaves no memory for labs: hostMemoryGib keeps {parent.host_memory_gib:g} GiB for the host. Lower it."
            )
            yield ("parents", name, "memoryGib"), text
        try:
            shared_nat(course, name)
        except ConfigurationError as error:
            yield ("parents", name, "reserved"), str(error)


def _hosts(parents: Mapping[str, Parent]) -> Iterator[Failure]:
    """Two names for one host would count its memory twice."""
    names: dict[tuple[str, int], str] = {}
    for name, parent in parents.items():
        first = names.setdefault((parent.host.lower(), parent.port), name)
        if first != name:
            yield ("parents", name, "address"), f"is the host of {first!r} too. Remove one of the two parents."


def _naming(setting: Mapping[str, Any]) -> Iterator[Failure]:
    """What is wrong with the setting by the SDK's own reading of it; and names that two students would share."""
    try:
        names = [{_name(setting, kind, stack) for stack in ("ada", "bob")} for kind in TOKENS]
    except ValueError as error:
        yield ("naming",), str(error).removeprefix(AUTONAMING).lstrip(".: ")
        return
    if "pattern" in str(setting) and any(len(both) == 1 for both in names):
        yield (
            ("naming",),
            "gives machines of two students the same name. Include ${stack}, the student's id: ${name}-${stack}",
        )


def _name(setting: Mapping[str, Any], kind: str, stack: str) -> str:
    """What a resource is called for a student; nothing if the program has to name each."""
    try:
        return physical_name(setting, kind, "hv1", Stack("organization", "project", stack, config=lambda _: stack))
    except NoNameError:
        return stack


def _configs(course: Course) -> Iterator[tuple[Where, Mapping[str, Any]]]:
    yield ("config",), course.config
    yield ("secrets",), course.secrets
    yield from ((("overrides", student, "config"), override.config) for student, override in course.overrides.items())


def _settings(key: str) -> Iterator[str]:
    if key in _OF_THE_CLASS:
        instead = "Use `naming`." if key == AUTONAMING else "Remove it."
        yield f"is set by the class. {instead}"
    elif key in SETTINGS and key not in _PROGRAMS_OWN:
        name = key.removeprefix(f"{NAMESPACE}:")
        yield f"belongs to the parent. Move it there, as {'passwordEnv' if name == 'password' else name}."
    elif key.startswith(f"{NAMESPACE}:") and key not in _PROGRAMS_OWN:
        yield f"there is no such setting; {nearest(key, SETTINGS, 'see docs/reference/configuration.md')}"
