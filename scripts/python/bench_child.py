"""What the processes that measure themselves have in common. They import nothing that is measured before its time."""

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

Spent = dict[str, dict[str, float]]
"""Seconds of `cpu` and of `wall` time, by stage."""


@contextmanager
def measured(spent: Spent, stage: str) -> Iterator[None]:
    """Note what the block takes."""
    cpu, wall = cpu_seconds(), time.perf_counter()
    yield
    spent[stage] = {"cpu": cpu_seconds() - cpu, "wall": time.perf_counter() - wall}


def cpu_seconds() -> float:
    """The seconds of CPU that this process has had so far, in all its threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def must_be_of(module: ModuleType, checkout: Path) -> None:
    """End the process if what it measures is another checkout's code."""
    if not (module.__file__ and Path(module.__file__).is_relative_to(checkout)):
        raise SystemExit(f"measured would be {module.__file__}, which is not in {checkout}")


def say(value: Any) -> None:
    """Print a line of JSON, now."""
    sys.stdout.write(f"{json.dumps(value)}\n")
    sys.stdout.flush()
