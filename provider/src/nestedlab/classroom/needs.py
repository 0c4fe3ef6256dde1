"""What each student's lab takes: as the course file says, or as the program declares it when it runs without a host."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from nestedlab.classroom.capacity import Needs
from nestedlab.classroom.course import MIB_IN_GIB, Course, Need
from nestedlab.classroom.project import Project, project
from nestedlab.classroom.seat import Seat
from nestedlab.classroom.seat_checks import override_of
from nestedlab.classroom.settings import Setting, settings
from nestedlab.errors import ConfigurationError
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.nat_switch.table import network

Machine: TypeAlias = Mapping[str, Any]
"""What a program declares of a machine, as dry_run reports it."""

_SECONDS = 120
_REMEDY = (
    "set what one student's lab takes in the course file, such as `seat: {memoryGib: 24, diskGib: 160, processors: 8}`."
)


def needs(course: Course) -> Needs:
    """What each student's lab takes. Raises ConfigurationError if neither course file nor program tells."""
    own = {student: override.seat for student, override in course.overrides.items() if override.seat is not None}
    if course.seat is not None:
        return Needs(course.seat, own)
    machines = _declared(course, "student")
    by_config: dict[str, Need] = {}
    for student, override in course.overrides.items():
        if override.config and student not in own:
            config = json.dumps(override.config, sort_keys=True)
            own[student] = by_config.get(config) or _sum(_declared(course, student))
            by_config[config] = own[student]
    return Needs(_sum(machines), own, notes=tuple(_notes(machines)))


def _sum(machines: Sequence[Machine]) -> Need:
    """What machines take together of the student's parent."""
    here = [machine for machine in machines if machine["on"] is None]
    if not here:
        raise ConfigurationError(f"The program declares no machine on the student's parent: {_REMEDY}")
    return Need(
        memory_gib=sum(_number(machine, "memory_mib") for machine in here) / MIB_IN_GIB,
        disk_gib=sum(size for machine in here for size in _sizes(machine)),
        processors=sum(_number(machine, "processors") for machine in here),
    )


def _notes(machines: Sequence[Machine]) -> Iterator[str]:
    """What the sum leaves out."""
    on_images = sum(_is_on_image(disk) for machine in machines for disk in _disks(machine))
    if on_images:
        yield (
            f"{on_images} {'disk' if on_images == 1 else 'disks'} of each lab may grow to an image's size, which only "
            "the host knows: it is not counted. If disk space is scarce, set `seat`."
        )
    elsewhere = [machine["name"] for machine in machines if machine["on"] is not None]
    if elsewhere:
        yield f"Machines with `on` are not counted, since they are on another host: {', '.join(elsewhere)}."


def _number(machine: Machine, name: str) -> int:
    field = NestedHyperVHost.model_fields[name]
    value = machine[name] if machine[name] is not None else field.default
    return _known(machine, name, value)


def _known(machine: Machine, name: str, value: object) -> int:
    if not isinstance(value, int | float):
        raise ConfigurationError(f"{name} of the machine {machine['name']!r} is not known before `up`: {_REMEDY}")
    return int(value)


def _sizes(machine: Machine) -> Iterator[int]:
    """What the machine's disks may grow to, where the program says so. A given disk is there already."""
    for disk in _disks(machine):
        yield _known(machine, "size_gib", disk.get("sizeGib", 0) if isinstance(disk, Mapping) else disk)


def _is_on_image(disk: object) -> bool:
    return isinstance(disk, Mapping) and "parent" in disk and "sizeGib" not in disk


def _disks(machine: Machine) -> Sequence[object]:
    return (machine["os_disk"], *(machine["data_disks"] or ()))


def _declared(course: Course, student: str) -> list[Machine]:
    """The machines that the program declares for a student, their attributes by name."""
    lab = project(course.program)
    command = [_python(lab), "-m", "nestedlab.classroom.dry_run", str(lab.program), lab.name, student]
    try:
        done = subprocess.run(
            command,
            cwd=lab.folder,
            env={**os.environ, **_settings(course, lab, student)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
        found = json.loads(done.stdout) if done.stdout else {"failure": _last(done.stderr)}
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        found = {"failure": str(error)}
    if "failure" in found:
        raise ConfigurationError(
            f"The program failed when it was run without a host, to see what a lab takes: {found['failure']}. "
            f"Set what it needs under `config`, or mend it. If it cannot run without a host: {_REMEDY}"
        )
    return list(found["machines"])


def _last(text: str) -> str:
    return (text.strip() or "it ended without a message").splitlines()[-1]


def _python(lab: Project) -> str:
    """The Python that Pulumi runs the program with; without an environment of its own, that of this command."""
    if lab.virtual_environment is None:
        return sys.executable
    return str(lab.virtual_environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


def _settings(course: Course, lab: Project, student: str) -> dict[str, str]:
    """The environment in which a program finds its configuration, as the engine hands it over."""
    found = settings(course, _example(course, student))
    return {
        "PULUMI_CONFIG": json.dumps(dict(_entries(lab, found.items()))),
        "PULUMI_CONFIG_SECRET_KEYS": json.dumps(
            [_key(lab, key) for key, setting in found.items() if setting.is_secret]
        ),
    }


def _entries(lab: Project, found: Iterable[tuple[str, Setting]]) -> Iterator[tuple[str, str]]:
    for key, setting in found:
        # What is secret need not be there yet: nothing is made of it here.
        value = os.environ.get(setting.variable, "secret") if setting.variable is not None else setting.value
        yield _key(lab, key), value if isinstance(value, str) else json.dumps(value)


def _key(lab: Project, key: str) -> str:
    return key if ":" in key else f"{lab.name}:{key}"


def _example(course: Course, student: str) -> Seat:
    """A seat that the student might have."""
    return Seat(
        number=1,
        id=student,
        name=student,
        parent=override_of(course, student).parent or next(iter(course.parents)),
        prefix=str(next(network(course.pool).subnets(new_prefix=course.prefix_length))),
        first_port=course.ports.first,
        last_port=course.ports.first + course.ports_per_student - 1,
    )
