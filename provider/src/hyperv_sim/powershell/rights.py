"""What the one user of the host may do, by the groups of the host that the user is in."""

from __future__ import annotations

from hyperv_sim import errors
from hyperv_sim.contract import Cmdlet
from hyperv_sim.fidelity import UNKNOWN, fact
from hyperv_sim.state.groups import ADMINISTRATORS, HYPER_V, REMOTE

_OF_POWERSHELL = frozenset({"Get-Command", "Out-Null", "Select-Object"})


def may_open_a_session(groups: tuple[str, ...]) -> bool:
    """Whether WinRM lets the user in."""
    return bool({ADMINISTRATORS, REMOTE} & {*groups})


def check(groups: tuple[str, ...], cmdlet: Cmdlet) -> None:
    """Raise CmdletError, as Windows does, if the user may not run the cmdlet."""
    if ADMINISTRATORS in groups or cmdlet.name in _OF_POWERSHELL:
        return
    if cmdlet.module == "Hyper-V":
        if HYPER_V not in groups:
            raise errors.hyper_v(
                "Unspecified",
                "You do not have the required permission to complete this task. Contact the administrator of the "
                "authorization policy for the computer.",
            )
        return
    if cmdlet.is_cim and not cmdlet.name.startswith("Get-"):
        raise errors.windows_system_error(5, "PermissionDenied", "Access is denied.")
    raise errors.not_simulated(f"{cmdlet.name} by a user who is no administrator")


fact(
    "Windows",
    "a session needs Administrators or Remote Management Users; Hyper-V Administrators alone is access denied",
    "windsor's README",
)
fact(
    "Windows",
    "Hyper-V's cmdlets without Hyper-V Administrators: `Unspecified`, NotSpecified, as on some hosts",
    "kubernetes/minikube#6732, #13111; other hosts may say AccessDenied",
)
fact(
    "Windows",
    "NAT networks and addresses are changed by Administrators only: `Windows System Error 5`, PermissionDenied",
    "windsor's README and test data",
)
fact("Windows", "what others than Administrators read of networks, CIM and files is refused", UNKNOWN)
