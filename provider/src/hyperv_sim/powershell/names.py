"""Which names a machine can have."""

from __future__ import annotations

from hyperv_sim.fidelity import fact
from hyperv_sim.powershell.call import Call

LONGEST = 100


def unfit(_: Call, name: str) -> str | None:
    """What is wrong with a machine's name, if anything: only its length, whatever characters are in it."""
    return f"The name has more than {LONGEST} characters." if len(name) > LONGEST else None


fact(
    "New-VM",
    "a name of any characters; one over 100 is `InvalidParameter`; so too a new name",
    "microsoft/openvmm#1647, with colons in its names; microsoft/Get-NetView#19 for other characters",
)
