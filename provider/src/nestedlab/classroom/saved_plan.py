"""A saved plan of a class: a folder with the seats it was made for, and Pulumi's own plan of each student's stack."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from nestedlab.classroom import seats
from nestedlab.classroom.seat import Seat
from nestedlab.errors import ConfigurationError

_SEATS = "seats.yaml"
_REMEDY = "Save a new plan with `nestedlab class plan --save`."


def write_seats(folder: Path, planned: Iterable[Seat]) -> None:
    """Note the seats that a plan is made for."""
    folder.mkdir(parents=True, exist_ok=True)
    seats.write(folder / _SEATS, planned)


def of_plan(folder: Path, chosen: Sequence[Seat], *, named: bool) -> list[Seat]:
    """The chosen seats that the plan is for. Raises ConfigurationError if they are not those that were planned."""
    planned = {seat.id: seat for seat in seats.read(folder / _SEATS)}
    if not planned:
        raise ConfigurationError(f"{folder} has no saved plan. {_REMEDY}")
    kept = [seat for seat in chosen if named or seat.id in planned]
    for seat in kept:
        if seat.id not in planned or not (folder / f"{seat.id}.json").is_file():
            raise ConfigurationError(f"{folder} has no plan for {seat.id}. {_REMEDY}")
        if _place(seat) != _place(planned[seat.id]):
            raise ConfigurationError(f"{seat.id} has another seat than in the plan of {folder}. {_REMEDY}")
    return kept


def _place(seat: Seat) -> tuple[object, ...]:
    return (seat.number, seat.parent, seat.prefix, seat.first_port, seat.last_port)
