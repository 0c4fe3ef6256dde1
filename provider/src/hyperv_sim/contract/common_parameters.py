"""The parameters that PowerShell adds to a command. [about_CommonParameters of Windows PowerShell 5.1]"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ACTION = "ActionPreference"
ACTIONS = {"SilentlyContinue": 0, "Stop": 1, "Continue": 2, "Inquire": 3, "Ignore": 4, "Suspend": 5}
"""The members of ActionPreference. [MSDN, System.Management.Automation.ActionPreference]"""

COMMON: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "Verbose": ("SwitchParameter", "vb"),
        "Debug": ("SwitchParameter", "db"),
        "ErrorAction": (ACTION, "ea"),
        "WarningAction": (ACTION, "wa"),
        "InformationAction": (ACTION, "infa"),
        "ErrorVariable": ("String", "ev"),
        "WarningVariable": ("String", "wv"),
        "InformationVariable": ("String", "iv"),
        "OutVariable": ("String", "ov"),
        "OutBuffer": ("Int32", "ob"),
        "PipelineVariable": ("String", "pv"),
    }
)
"""Type and alias of what every cmdlet has."""

SHOULD_PROCESS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"WhatIf": ("SwitchParameter", "wi"), "Confirm": ("SwitchParameter", "cf")}
)
"""Type and alias of what a cmdlet has that changes something."""
