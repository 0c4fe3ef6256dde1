"""Get-VMFirmware and Set-VMFirmware, of generation 2 machines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from uuid import UUID

from hyperv_sim import errors
from hyperv_sim.fidelity import REFERENCE, UNKNOWN, WINDSOR, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.components import COMPONENT_BASES, PART, PART_ALIASES, PART_VALUES
from hyperv_sim.powershell.declared_types import describe_class
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.powershell.settings import Setting, change, names
from hyperv_sim.powershell.targets import each, machines, machines_with
from hyperv_sim.state.enumerations import HYPER_V, VMState
from hyperv_sim.state.machines import Firmware, Machine

FAILED = "Failed to modify the firmware."
SHIELDED_LINUX = "OpenSourceShieldedVM"
TEMPLATES = {
    "MicrosoftWindows": UUID("1734c6e8-3154-4dda-ba5f-a874cc483422"),
    "MicrosoftUEFICertificateAuthority": UUID("272e7447-90a4-4563-a4b9-8e4ab00526ce"),
    SHIELDED_LINUX: None,
}
"""The ids of the secure boot templates, as a public report of a Windows 11 host has them; the third is not in it."""

VALUES: Mapping[str, Callable[[Firmware], object]] = {
    **PART_VALUES,
    "PreferredNetworkBootProtocol": lambda firmware: firmware.preferred_network_boot_protocol,
    "SecureBoot": lambda firmware: firmware.secure_boot,
    "SecureBootTemplateId": lambda firmware: TEMPLATES.get(firmware.secure_boot_template),
    "SecureBootTemplate": lambda firmware: firmware.secure_boot_template,
    "ConsoleMode": lambda firmware: firmware.console_mode,
    "PauseAfterBootFailure": lambda firmware: firmware.pause_after_boot_failure,
}

describe_class(
    Firmware,
    f"{HYPER_V}.VMFirmware",
    VALUES,
    constants=PART,
    bases=COMPONENT_BASES,
    aliases=PART_ALIASES,
)


def _unknown_template(call: Call, template: str) -> str | None:
    is_there = template in TEMPLATES and (template != SHIELDED_LINUX or call.host.facts.shields_linux)
    return None if is_there else f"The secure boot template '{template}' was not found."


SETTINGS = (
    Setting("EnableSecureBoot", "secure_boot", off_only=True),
    Setting("SecureBootTemplate", "secure_boot_template", off_only=True, check=_unknown_template),
    Setting("PreferredNetworkBootProtocol", "preferred_network_boot_protocol", off_only=True),
    Setting("ConsoleMode", "console_mode", off_only=True),
    Setting("PauseAfterBootFailure", "pause_after_boot_failure", off_only=True),
)


def _firmware(machine: Machine) -> Firmware:
    if machine.firmware is None:
        raise errors.hyper_v(
            "InvalidParameter", f"A parameter is invalid. Generation 1 machines have no firmware: '{machine.name}'."
        )
    return machine.firmware


@cmdlet("Get-VMFirmware", takes=("VMName", "VM"))
def get_vm_firmware(call: Call) -> Iterator[object]:
    """Get-VMFirmware: fails for generation 1."""
    yield from each(call, machines(call), lambda machine: (_firmware(machine),))


@cmdlet("Set-VMFirmware", takes=("VMName", "VM", "VMFirmware", "Passthru", *names(SETTINGS)))
def set_vm_firmware(call: Call) -> Iterator[object]:
    """Set-VMFirmware: only while the machine is off. A client has no device objects to order the boot with."""

    def change_one(machine: Machine) -> Iterator[object]:
        firmware = _firmware(machine)
        if machine.state is VMState.Off and machine.security.tpm_initialized and call.get("SecureBootTemplate"):
            raise errors.hyper_v("OperationFailed", f"{FAILED} The TPM is initialized; the template cannot change.")
        change(call, machine, [(firmware, SETTINGS)], FAILED)
        if call.get("Passthru"):
            yield firmware

    yield from each(call, machines_with(call, "VMFirmware"), change_one)


fact(
    "Get-VMFirmware",
    "fails for generation 1 (`InvalidParameter`, InvalidArgument); so too Set-VMFirmware",
    "hashicorp/vagrant#5419, #5509, AutomatedLab/AutomatedLab#18",
)
fact(
    "Set-VMFirmware",
    "only while off; templates MicrosoftWindows, MicrosoftUEFICertificateAuthority, OpenSourceShieldedVM",
    f"{WINDSOR}; code of microsoft/openvmm",
)
fact(
    "Set-VMFirmware",
    "-SecureBootTemplate OpenSourceShieldedVM is unknown to Server 2016: shielded Linux machines came later",
    f"{UNKNOWN}; stricter",
)
fact(
    "Set-VMFirmware",
    "-SecureBootTemplate of a machine that has started with a TPM: `OperationFailed`, also for the same template",
    "a public report of a Windows 11 host; the category inferred",
)
fact(
    "Set-VMFirmware",
    "-BootOrder and -FirstBootDevice take live objects only, so that no client can give them",
    REFERENCE,
)
fact("Get-VMFirmware", "BootOrder is empty", "not simulated")
