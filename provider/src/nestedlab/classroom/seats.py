"""The seats file: who has which seat. It is beside the course file, and outlives the roster."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nestedlab.classroom import whole_file
from nestedlab.classroom.course import Prefix, StackName
from nestedlab.classroom.failures import failures
from nestedlab.classroom.marked_yaml import read_marked
from nestedlab.classroom.seat import Seat
from nestedlab.errors import ConfigurationError

_HEAD = """\
# Who has which seat. `nestedlab class` writes this file: keep it with the course file.
# A seat that is removed here is given away, so remove only that of a student whose stack is gone.
"""
_OF_OTHERS = {"columns", "nat"}
"""What a seat has from the roster and from the course file: it is not recorded."""


class _Recorded(Seat):
    """A seat as the file has it: somebody may have mended it by hand."""

    number: Annotated[int, Field(ge=1)]
    id: StackName
    prefix: Prefix
    first_port: Annotated[int, Field(ge=1, le=65535)]
    last_port: Annotated[int, Field(ge=1, le=65535)]


class _SeatsFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    seats: tuple[_Recorded, ...] = ()


def seats_file(course_file: Path) -> Path:
    """Where the seats of a course file are recorded: course.seats.yaml beside course.yaml."""
    return course_file.with_name(f"{course_file.stem}.seats.yaml")


def read(path: Path) -> tuple[Seat, ...]:
    """The recorded seats; none if there is no file. Raises ConfigurationError with file, line and key.

    They have no columns and no NAT network: those are from the roster and the course file.
    """
    if not path.exists():
        return ()
    marked = read_marked(path, lambda _: True)
    if marked.value is None:
        return ()
    try:
        seats = tuple(Seat(**dict(seat)) for seat in _SeatsFile.model_validate(marked.value).seats)
    except ValidationError as error:
        found = failures(marked, _SeatsFile, error)
        raise ConfigurationError("\n".join([*marked.failures, *found])) from None
    if marked.failures:
        raise ConfigurationError("\n".join(marked.failures))
    return seats


def write(path: Path, seats: Iterable[Seat]) -> None:
    """Record the seats, by number."""
    rows = [
        seat.model_dump(mode="json", by_alias=True, exclude=_OF_OTHERS)
        for seat in sorted(seats, key=lambda seat: seat.number)
    ]
    whole_file.replace(path, _HEAD + yaml.safe_dump({"seats": rows}, sort_keys=False, allow_unicode=True))
