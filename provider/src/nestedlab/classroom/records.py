"""What the class records of each student: the last operation and its result, stops and resets."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from nestedlab.classroom import whole_file
from nestedlab.classroom.work import Operation, Outcome
from nestedlab.errors import ConfigurationError


@dataclass(frozen=True)
class Record:
    """The record of one student."""

    operation: str = ""
    """The last operation that changes something; "" if there was none."""
    at: str = ""
    """When it ended, in UTC, as ISO 8601 has it."""
    seconds: float = 0
    error: str = ""
    """Why it failed; "" if it did not."""
    log: str = ""
    """The file with what Pulumi printed."""
    stopped: bool = False
    """Whether the lab was stopped with `class stop`, and not started since."""
    reset: str = ""
    """The word of the last `class reset`."""
    drifted: int | None = None
    """How many properties the last `class drift` found changed; None if that is not known."""

    @property
    def failed(self) -> bool:
        """Whether the last operation failed."""
        return bool(self.error)


def read(folder: Path, student: str) -> Record:
    """The record of a student; an empty one if there is none."""
    path = _path(folder, student)
    try:
        return Record(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Record()
    except (ValueError, TypeError) as error:
        raise ConfigurationError(
            f"{path} cannot be read ({error}). Remove it: then the class knows nothing of the student's last operation."
        ) from error


def write(folder: Path, student: str, record: Record) -> None:
    """Write the record."""
    whole_file.replace(_path(folder, student), json.dumps(asdict(record), indent=2))


def after(record: Record, outcome: Outcome, at: str) -> Record:
    """The record once an operation has ended. A look for drift makes no failed operation good."""
    if outcome.operation is Operation.DRIFT:
        return replace(record, drifted=len(outcome.drift) if outcome.ok else None)
    return replace(
        record,
        operation=outcome.operation.value,
        at=at,
        seconds=round(outcome.seconds, 1),
        error=outcome.error,
        log=outcome.log,
        drifted=None,
    )


def remove(folder: Path, student: str) -> None:
    """Forget a student."""
    _path(folder, student).unlink(missing_ok=True)


def _path(folder: Path, student: str) -> Path:
    return folder / "_records" / f"{student}.json"
