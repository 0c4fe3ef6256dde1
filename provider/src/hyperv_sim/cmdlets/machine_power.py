"""Start-VM, Stop-VM, Save-VM."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone

from hyperv_sim import errors
from hyperv_sim.cmdlets.machine import RESTING
from hyperv_sim.fidelity import GUIDE, REFERENCE, UNKNOWN, WINDSOR, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.powershell.settings import wrong_state
from hyperv_sim.powershell.targets import each, machines
from hyperv_sim.state.disks import MIB, chain, failure, is_in_use, open_for_writing
from hyperv_sim.state.enumerations import VMState
from hyperv_sim.state.machines import Machine

ALREADY = "The virtual machine is already in the specified state."
LOOK_AGAIN_SECONDS = 0.05


@cmdlet("Start-VM", takes=("Name", "VM", "Passthru"))
def start_vm(call: Call) -> Iterator[object]:
    """Start-VM: here it shows whether the host has the memory, the disks and the processor for the machine."""

    def start(machine: Machine) -> Iterator[object]:
        if machine.state is VMState.Running:
            call.warn(ALREADY)
        elif machine.state not in RESTING or machine.is_merging:
            raise wrong_state(f"'{machine.name}' failed to start.")
        else:
            _check_start(call, machine)
            _run(call, machine)
        if call.get("Passthru"):
            yield machine

    yield from each(call, machines(call), start)


def _check_start(call: Call, machine: Machine) -> None:
    failed = f"'{machine.name}' failed to start. (Virtual machine ID {machine.id})"
    if not call.host.hypervisor_runs:
        why = "because one of the Hyper-V components is not running."
        raise errors.hyper_v("OperationFailed", f"Failed to start the virtual machine '{machine.name}' {why}")
    if machine.memory.startup > call.host.free_memory:
        raise errors.hyper_v(
            "OutOfMemory",
            f"'{machine.name}' could not initialize. Not enough memory in the system to start the virtual machine "
            f"{machine.name}.",
        )
    if machine.memory.startup > call.host.free_memory - call.host.held_memory:
        megabytes = machine.memory.startup // MIB
        raise errors.hyper_v(
            "Unspecified",
            f"{failed} Unable to allocate {megabytes} MB of RAM: Insufficient system resources exist to complete the "
            "requested service. (0x800705AA).",
        )
    if machine.processor.expose_extensions and not _nests(call, machine):
        raise errors.hyper_v(
            "OperationFailed",
            f"{failed} The virtual machine could not be started because this platform does not support nested "
            "virtualization.",
        )
    for path in machine.attachments:
        file = call.host.files.find(path)
        if file and file.is_barred:
            raise errors.hyper_v(
                "AccessDenied",
                f"{failed} Account does not have permission to open attachment '{path}'. "
                "Error: 'General access denied error' (0x80070005).",
            )
    for drive in machine.drives:
        if is_in_use(call.host, chain(call.host.files, drive.path, failed)[0]):
            raise failure(f"{failed} '{drive.path}'", 0x80070020)
    for dvd in machine.dvd_drives:
        if dvd.path and call.host.files.find(dvd.path) is None:
            raise failure(f"{failed} '{dvd.path}'", 0x80070002)


def _nests(call: Call, machine: Machine) -> bool:
    """The machine's own version counts too: 8.0 on Intel, 9.3 on AMD. [Microsoft's guide to nested virtualization]"""
    needed = (8, 0) if call.host.cpu == "intel" else (9, 3)
    return call.host.can_nest and tuple(int(part) for part in machine.version.split(".")) >= needed


def _run(call: Call, machine: Machine) -> None:
    machine.state = VMState.Running
    machine.started = datetime.now(timezone.utc)
    machine.security.tpm_initialized |= machine.security.tpm_enabled
    for drive in machine.drives:
        open_for_writing(call.host.files, drive.path)
    for adapter in machine.adapters:
        if adapter.dynamic_mac and adapter.mac_address.strip("0") == "":
            adapter.mac_address = call.host.next_mac()


@cmdlet("Stop-VM", takes=("Name", "VM", "Save", "TurnOff", "Force", "Passthru"))
def stop_vm(call: Call) -> Iterator[object]:
    """Stop-VM: asks the guest and waits for it; -TurnOff at once; -Save as Save-VM."""
    if call.get("Save") and call.get("TurnOff"):
        raise errors.not_simulated("Stop-VM -Save with -TurnOff")

    def stop(machine: Machine) -> Iterator[object]:
        if machine.state is VMState.Off:
            call.warn(ALREADY)
        elif call.get("Save"):
            _save(call, machine)
        elif machine.state is not VMState.Saved and call.get("TurnOff"):
            _off(machine)
        elif machine.state is VMState.Running:
            _shut_down(call, machine)
        else:
            raise wrong_state(f"'{machine.name}' failed to shut down.")
        if call.get("Passthru"):
            yield machine

    yield from each(call, machines(call), stop)


def _off(machine: Machine) -> None:
    machine.state = VMState.Off
    machine.started = None


def _shut_down(call: Call, machine: Machine) -> None:
    """Ask before power is cut; with -Force a guest without integration services is waited for without an end."""
    manner = machine.guest.manner
    if (manner == "locked" or not machine.guest_answers) and not call.get("Force"):
        raise errors.hyper_v("InvalidOperation", errors.NON_INTERACTIVE)
    if not machine.guest_answers:
        while machine.state not in RESTING:
            with call.unlocked():
                if call.stop.wait(LOOK_AGAIN_SECONDS):
                    return
        return
    if manner == "failing":
        raise errors.hyper_v("OperationFailed", f"'{machine.name}' failed to stop.")
    machine.state = VMState.Stopping
    seconds = machine.guest.shutdown_seconds if manner == "responsive" else 0.0
    with call.unlocked():
        call.stop.wait(seconds)
    # A guest that was asked goes down whether or not anyone still waits; another session may have been quicker.
    if machine.state is VMState.Stopping:
        _off(machine)


@cmdlet("Save-VM", takes=("Name", "VM", "Passthru"))
def save_vm(call: Call) -> Iterator[object]:
    """Save-VM, of running machines, those that nest too."""

    def save(machine: Machine) -> Iterator[object]:
        _save(call, machine)
        if call.get("Passthru"):
            yield machine

    yield from each(call, machines(call), save)


def _save(call: Call, machine: Machine) -> None:
    if machine.state is VMState.Saved:
        call.warn(ALREADY)
    elif machine.state is VMState.Running:
        machine.state = VMState.Saved
        machine.started = None
    else:
        raise wrong_state(f"'{machine.name}' failed to save.")


fact(
    "Start-VM",
    "too little memory on the host: `OutOfMemory`, NotSpecified",
    "kubernetes/minikube#4067; in minikube#18049 the category is FromStdErr",
)
fact("Start-VM", "the host keeps 2 GiB of its memory for itself", f"{UNKNOWN} how much; stricter than none")
fact(
    "Start-VM",
    "extensions where host or machine version cannot nest are refused here; `OperationFailed` is guessed",
    f"Varying-Vagrant-Vagrants/VVV#2534; {GUIDE} for the versions; id {UNKNOWN}",
)
fact(
    "Start-VM",
    "a missing disk or image, or one in use (0x80070020): `OperationFailed`",
    "docker/machine#2594, #2662, canonical/multipass#2449 for one in use; id inferred from other failures to start",
)
fact(
    "Start-VM",
    "a disk or image whose rights keep the machine from it: `AccessDenied`, PermissionDenied, 0x80070005",
    "kubernetes/minikube#6918, #9286, docker/for-win#8035, hashicorp/packer#7500",
)
fact(
    "Start-VM",
    "memory that the host's own programs hold: `Unspecified`, NotSpecified, 0x800705AA",
    "kubernetes/minikube#14748, #16665, microsoft/MSLab#300 (the cure there: end programs); when it has this form "
    f"{UNKNOWN}",
)
fact("Start-VM", "the hypervisor does not run: `OperationFailed`", "docker/for-win#5993, microsoft/MSLab#353")
fact("Start-VM", "running already: a warning", WINDSOR)
fact("Start-VM", "gives a dynamic adapter its MAC address at its first start", "ananace/foreman_hyperv#2")
fact("Stop-VM", "off already: a warning", f"{REFERENCE}; {WINDSOR}")
fact(
    "Stop-VM",
    "a guest that is locked or cannot be asked: `InvalidOperation`, NonInteractive, whatever -Confirm says",
    "public logs (minikube), a public report of a Windows 11 host",
)
fact("Stop-VM", "-Force shuts a locked guest down at once", REFERENCE)
fact("Stop-VM", "-Force waits for a guest without integration services until it is stopped", WINDSOR)
fact(
    "Stop-VM",
    "-Force fails for a guest that a test sets to do so: `OperationFailed`, NotSpecified",
    "MattHodge/PackerTemplates#18, marcinbojko/hv-packer#1, hashicorp/vagrant#12637; when it does is not known",
)
fact("Stop-VM", "with the service Shutdown off it is as without integration services", "inferred")
fact("Stop-VM", "a saved machine neither shuts down nor turns off (`InvalidState`)", UNKNOWN)
fact(
    "Save-VM",
    "only running ones (`InvalidState`); saved already: a warning",
    f"microsoft/devhome#2868 for the states; id and warning {UNKNOWN}",
)
fact("Save-VM", "a nested host saves like any other", f"{UNKNOWN}; a text of 2015 says not while guests run in it")
