"""The rows of docs/fidelity.md: what the simulated host does, from where that is known, and what is not known.

A row stands next to the code that it is about: `fact("Remove-VM", "refused unless Off or Saved", source)`.
"""

from __future__ import annotations

from dataclasses import dataclass

UNKNOWN = "unknown"
"""The source if no public text or log was found: the simulated host refuses, or takes the stricter way."""

WINDSOR = "code of windsorcli/terraform-provider-hyperv"
GUIDE = "Microsoft's guide to nested virtualization"
REFERENCE = "Microsoft's cmdlet reference"
POWERSHELL = "PowerShell's public sources"
REFLECTION = "reflection of the Hyper-V module on a host (stubs of dsccommunity/HyperVDsc)"
TRIED = f"{POWERSHELL}; tried on a PowerShell 7.6"


@dataclass(frozen=True, slots=True)
class Fact:
    """A behaviour of the simulated host and its source."""

    subject: str
    does: str
    source: str


_FACTS: list[Fact] = []


def fact(subject: str, does: str, source: str) -> None:
    """Add a row to the page. `subject` is a cmdlet, or a part of the shell."""
    _FACTS.append(Fact(subject, does, source))


def rows() -> list[tuple[str, str, str]]:
    """The rows of all modules that are loaded: subject, what it does, source."""
    return sorted({(row.subject, row.does, row.source) for row in _FACTS})
