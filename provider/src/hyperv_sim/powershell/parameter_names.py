"""Which parameter a name on a command line means. [MergedCommandParameterMetadata in PowerShell's public sources]"""

from __future__ import annotations

from hyperv_sim import errors
from hyperv_sim.contract import Cmdlet, ParameterType
from hyperv_sim.fidelity import TRIED, fact


def matching(cmdlet: Cmdlet, name: str) -> ParameterType | None:
    """The parameter of this name or alias, or the only one that has one that begins so; None if there is none.

    A cmdlet's own parameter counts before those that PowerShell adds. Raises TerminatingError if several are left.
    """
    wanted = name.lower()
    exact = cmdlet.by_any_name.get(wanted)
    if exact:
        return exact
    found = {match.name: match for key, match in cmdlet.by_any_name.items() if key.startswith(wanted)}
    own = [match for match in found.values() if not match.is_added]
    if len(found) > 1 and len(own) != 1:
        matches = " ".join(f"-{match}" for match in sorted(found))
        raise errors.binding(
            "AmbiguousParameter",
            f"Parameter cannot be processed because the parameter name '{name}' is ambiguous. Possible matches "
            f"include: {matches}.",
            parameter=name,
        )
    return next(iter(own or found.values()), None)


fact(
    "PowerShell",
    "parameters by their names, by an alias, or by a beginning that is clear; unclear it is an `AmbiguousParameter`",
    TRIED,
)
