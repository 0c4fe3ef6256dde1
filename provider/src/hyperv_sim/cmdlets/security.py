"""The object VMSecurity; Get-VMSecurity, Get- and Set-VMKeyProtector, Enable- and Disable-VMTPM."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from uuid import uuid4

from hyperv_sim import errors
from hyperv_sim.fidelity import UNKNOWN, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.components import OBJECT, OBJECT_BASES
from hyperv_sim.powershell.declared_types import describe_class
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.powershell.settings import wrong_state
from hyperv_sim.powershell.targets import each, machines
from hyperv_sim.records import Scalar
from hyperv_sim.state.enumerations import HYPER_V, VMState
from hyperv_sim.state.machines import Machine, Security

FAILED = "Failed to modify the security settings."
NO_PROTECTOR = bytes((0, 0, 0, 4))
"""What Get-VMKeyProtector shows of a machine without one: not nothing."""

VALUES: Mapping[str, Callable[[Security], object]] = {
    "TpmEnabled": lambda security: security.tpm_enabled,
    "EncryptStateAndVmMigrationTraffic": lambda security: security.encrypt_state,
    "VirtualizationBasedSecurityOptOut": lambda security: security.virtualization_based_security_opt_out,
    "ComputerName": lambda security: security.machine.host_name,
}

describe_class(
    Security,
    f"{HYPER_V}.VMSecurity",
    VALUES,
    constants={**OBJECT, "KsdEnabled": False, "Shielded": False, "BindToHostTpm": False},
    bases=OBJECT_BASES,
    since={"BindToHostTpm": "2019"},
)


@cmdlet("Get-VMSecurity", takes=("VMName", "VM"))
def get_vm_security(call: Call) -> Iterator[object]:
    """Get-VMSecurity. The object does not say which machine it is about."""
    for machine in machines(call):
        yield machine.security


@cmdlet("Get-VMKeyProtector", takes=("VMName", "VM"))
def get_vm_key_protector(call: Call) -> Iterator[object]:
    """Get-VMKeyProtector: bytes, of a machine without one too."""
    for machine in machines(call):
        key = machine.security.key_protector
        yield Scalar("Byte[]", key.bytes * 64 if key else NO_PROTECTOR)


@cmdlet("Set-VMKeyProtector", takes=("VMName", "VM", "NewLocalKeyProtector", "Passthru"))
def set_vm_key_protector(call: Call) -> Iterator[object]:
    """Set-VMKeyProtector -NewLocalKeyProtector: only while off, generation 2, and not under a TPM that is on."""
    if not call.get("NewLocalKeyProtector"):
        raise errors.not_simulated("Set-VMKeyProtector without -NewLocalKeyProtector")

    def change_one(machine: Machine) -> Iterator[object]:
        _check(machine)
        if machine.security.tpm_enabled:
            raise errors.not_simulated("a new key protector for a machine whose TPM is on")
        if not call.host.hooks.forgets(call.cmdlet.name, "NewLocalKeyProtector"):
            machine.security.key_protector = uuid4()
        if call.get("Passthru"):
            yield machine

    yield from each(call, machines(call), change_one)


def _check(machine: Machine) -> None:
    if machine.generation == 1:
        raise errors.hyper_v("NotSupported", f"{FAILED} A generation 1 virtual machine has no TPM: '{machine.name}'.")
    if machine.state is not VMState.Off:
        raise wrong_state(FAILED)


@cmdlet("Enable-VMTPM", takes=("VMName", "VM", "Passthru"))
def enable_vm_tpm(call: Call) -> Iterator[object]:
    """Enable-VMTPM: only while off, and with a key protector."""
    yield from each(call, machines(call), lambda machine: _turn(call, machine, enabled=True))


@cmdlet("Disable-VMTPM", takes=("VMName", "VM", "Passthru"))
def disable_vm_tpm(call: Call) -> Iterator[object]:
    """Disable-VMTPM: only while off. The key protector stays."""
    yield from each(call, machines(call), lambda machine: _turn(call, machine, enabled=False))


def _turn(call: Call, machine: Machine, *, enabled: bool) -> Iterator[object]:
    _check(machine)
    if enabled and machine.security.key_protector is None:
        message = (
            f"The selected security settings of virtual machine '{machine.name}' cannot be changed without a valid key "
            f"protector configured. (Virtual machine ID {str(machine.id).upper()})"
        )
        raise errors.hyper_v("OperationFailed", message)
    if not call.host.hooks.forgets(call.cmdlet.name, "TpmEnabled"):
        machine.security.tpm_enabled = enabled
    if call.get("Passthru"):
        yield machine


fact("Get-VMSecurity", "no property names the machine", "public stubs of the Hyper-V module's types")
fact(
    "Get-VMKeyProtector",
    "four bytes for a machine without a key protector, else the protector's",
    "Microsoft's GuardedFabricTools; public scripts that compare the length with 4",
)
fact("Enable-VMTPM", "fails without a key protector", f"hashicorp/vagrant#11978 for fact and words; id {UNKNOWN}")
fact("Enable-VMTPM", "only while off (`InvalidState`)", "dsccommunity/HyperVDsc#214; id inferred")
fact("Enable-VMTPM", "for generation 1 `NotSupported`; so too Disable-VMTPM and Set-VMKeyProtector", f"id {UNKNOWN}")
fact(
    "Set-VMKeyProtector",
    "only while off; refused while the TPM is on",
    f"Microsoft's guide to the Host Guardian Service has the machine off; the TPM {UNKNOWN}, stricter",
)
fact("Set-VMKeyProtector", "-KeyProtector and -RestoreLastKnownGoodKeyProtector are refused", "not simulated")
fact(
    "Disable-VMTPM",
    "only while off (`InvalidState`); the key protector stays",
    "dsccommunity/HyperVDsc#214 for the state; the rest inferred",
)
