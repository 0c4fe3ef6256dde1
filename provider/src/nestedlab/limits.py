"""Where the limits of inputs come from, as data beside each limit. A test fails for a limit without a source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Check = TypeVar("Check", bound=Callable[..., Any])


@dataclass(frozen=True)
class Source:
    """Where the constraints come from that stand beside it: a page, a public log, the real module.

    `rule` says in words what a validator takes; bounds and lists of values say it themselves.
    """

    text: str
    rule: str = ""


def ours(reason: str, rule: str = "") -> Source:
    """The source of a limit that is a choice of this project and none of Windows'."""
    return Source(f"our choice: {reason}", rule)


_SOURCE = "limit_source"


def sourced(source: Source) -> Callable[[Check], Check]:
    """Mark a validator of fields, or of a whole part, with the source of what it refuses."""

    def mark(check: Check) -> Check:
        setattr(check, _SOURCE, source)
        return check

    return mark


def source_of(check: Callable[..., Any]) -> Source | None:
    """The source that a validator is marked with."""
    found: Source | None = getattr(check, _SOURCE, None)
    return found


LIMITS_PAGE = "Microsoft's table of Hyper-V's limits"
MODULE = "the Hyper-V module of 2019, by reflection"
REFERENCE = "Microsoft's cmdlet reference"
FILE_NAMES = "Microsoft's page on naming files"

A_HOST = ours("it is a name of the setting `nestedlab:hosts`")
"""For the argument `on` of both resources."""
