"""Which names a machine can have."""

from __future__ import annotations

import re

from hyperv_sim.fidelity import UNKNOWN, fact
from hyperv_sim.powershell.call import Call

LONGEST = 100
_NO_FOLDER = re.compile(r'[\\/:*?"<>|\x00-\x1f]')


def unfit(_: Call, name: str) -> str | None:
    """What is wrong with a machine's name, if anything: Hyper-V names a folder after the machine."""
    if len(name) > LONGEST:
        return f"The name has more than {LONGEST} characters."
    found = _NO_FOLDER.search(name)
    return f"The name holds {found.group()!r}, which no folder's name can." if found else None


fact(
    "New-VM",
    r'a name over 100 characters, or with one of `\ / : * ? " < > |`, is `InvalidParameter`; so too a new name',
    f"{UNKNOWN}; stricter",
)
