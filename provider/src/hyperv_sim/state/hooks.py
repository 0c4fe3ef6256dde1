"""What a test can make the host do on purpose, as some hosts do: refuse a cmdlet, drop a setting in silence."""

from __future__ import annotations

from dataclasses import dataclass, field

from hyperv_sim.errors import CmdletError


@dataclass(slots=True)
class Hooks:
    """Refusals by cmdlet, hidden cmdlets in lower case, settings (noun, parameter) that are taken and forgotten.

    `failing` counts statements down to the one that ends with an error, as -ErrorAction Stop has it if it `stops`.
    """

    refusals: dict[str, tuple[str, str]] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    reverts: set[tuple[str, str]] = field(default_factory=set)
    failing: int | None = None
    stops: bool = False
    statements: int = 0

    def begin_statement(self) -> bool:
        """Count a statement, and say whether it is the one that fails."""
        self.statements += 1
        if self.failing is None:
            return False
        self.failing -= 1
        if self.failing >= 0:
            return False
        self.failing = None
        return True

    def check(self, cmdlet: str) -> None:
        """Raise the error that a test has asked for."""
        if cmdlet in self.refusals:
            identifier, category = self.refusals[cmdlet]
            raise CmdletError(identifier, category, f"{cmdlet} is refused on this host.")

    def forgets(self, cmdlet: str, parameter: str) -> bool:
        """Whether a Set cmdlet's parameter is to be taken and forgotten."""
        return (cmdlet.split("-", 1)[1], parameter) in self.reverts
