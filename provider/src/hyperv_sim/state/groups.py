"""The groups of the host that count for what its user may do."""

from __future__ import annotations

ADMINISTRATORS = "Administrators"
HYPER_V = "Hyper-V Administrators"
REMOTE = "Remote Management Users"
GROUPS = (ADMINISTRATORS, HYPER_V, REMOTE)
