"""What a test can make the host do on purpose, as some hosts do: refuse a cmdlet, drop a setting in silence."""

from __future__ import annotations

from dataclasses import dataclass, field

from hyperv_sim.errors import CmdletError


@dataclass(slots=True)
class Hooks:
    """Refusals by cmdlet, and settings (noun, parameter) that a Set cmdlet takes and forgets."""

    refusals: dict[str, tuple[str, str]] = field(default_factory=dict)
    reverts: set[tuple[str, str]] = field(default_factory=set)

    def check(self, cmdlet: str) -> None:
        """Raise the error that a test has asked for."""
        if cmdlet in self.refusals:
            identifier, category = self.refusals[cmdlet]
            raise CmdletError(identifier, category, f"{cmdlet} is refused on this host.")

    def forgets(self, cmdlet: str, parameter: str) -> bool:
        """Whether a Set cmdlet's parameter is to be taken and forgotten."""
        return (cmdlet.split("-", 1)[1], parameter) in self.reverts
