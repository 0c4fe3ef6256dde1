"""The object VMScsiController; Add-, Get-, Remove-VMScsiController."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from hyperv_sim import errors
from hyperv_sim.fidelity import UNKNOWN, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.components import DEVICE_BASES, PART, PART_ALIASES, PART_VALUES
from hyperv_sim.powershell.declared_types import describe_class
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.powershell.settings import wrong_state
from hyperv_sim.powershell.targets import each, machines, named
from hyperv_sim.state.components import component_id, component_text
from hyperv_sim.state.enumerations import HYPER_V, ControllerType, VMState
from hyperv_sim.state.machines import SCSI_CONTROLLERS, Drive, DvdDrive, Machine, ScsiController

NAME = "SCSI Controller"
FAILED = "Failed to modify device 'SCSI Controller'."


def _drives(controller: ScsiController) -> list[Drive | DvdDrive]:
    mine = (ControllerType.SCSI, controller.number)
    all_drives: list[Drive | DvdDrive] = [*controller.machine.drives, *controller.machine.dvd_drives]
    return [drive for drive in all_drives if drive.slot[:2] == mine]


VALUES: Mapping[str, Callable[[ScsiController], object]] = {
    **PART_VALUES,
    "ControllerNumber": lambda controller: controller.number,
    "Drives": _drives,
    "Id": lambda controller: component_id(controller.machine, controller.id),
}

describe_class(
    ScsiController,
    f"{HYPER_V}.VMScsiController",
    VALUES,
    constants={**PART, "IsTemplate": False, "Name": NAME},
    bases=(f"{HYPER_V}.VMDriveController", *DEVICE_BASES),
    aliases=PART_ALIASES,
    text=lambda controller: component_text("VMScsiController", NAME, controller.machine, controller.id),
)


@cmdlet("Get-VMScsiController", takes=("VMName", "VM", "ControllerNumber"))
def get_vm_scsi_controller(call: Call) -> Iterator[object]:
    """Get-VMScsiController, all of a machine's or the one of a number."""
    wanted = call.get("ControllerNumber")
    for machine in machines(call):
        yield from (controller for controller in machine.scsi_controllers if wanted in (None, controller.number))


@cmdlet("Add-VMScsiController", takes=("VMName", "VM", "Passthru"))
def add_vm_scsi_controller(call: Call) -> Iterator[object]:
    """Add-VMScsiController: at most four to a machine, and only while it is off."""

    def add(machine: Machine) -> Iterator[object]:
        if machine.state is not VMState.Off:
            raise wrong_state(FAILED)
        if len(machine.scsi_controllers) == SCSI_CONTROLLERS:
            raise errors.hyper_v("InvalidParameter", f"{FAILED} A machine takes {SCSI_CONTROLLERS} SCSI controllers.")
        machine.scsi_controllers.append(ScsiController(machine))
        if call.get("Passthru"):
            yield machine.scsi_controllers[-1]

    yield from each(call, machines(call), add)


@cmdlet("Remove-VMScsiController", takes=("VMName", "ControllerNumber", "VMScsiController", "Passthru"))
def remove_vm_scsi_controller(call: Call) -> Iterator[object]:
    """Remove-VMScsiController: the last one, without drives, while the machine is off."""
    for controller in list(_chosen(call)):
        with call.going_on():
            machine = controller.machine
            if machine.state is not VMState.Off:
                raise wrong_state(FAILED)
            if _drives(controller) or controller is not machine.scsi_controllers[-1]:
                raise errors.not_simulated("removing a SCSI controller that has drives, or is not the last one")
            machine.scsi_controllers.remove(controller)
            if call.get("Passthru"):
                yield controller


def _chosen(call: Call) -> Iterator[ScsiController]:
    for controller in call.get("VMScsiController", ()):
        with call.going_on():
            there = controller.machine.id in call.host.machines and controller.number >= 0
            yield from (controller,) if there else _missing()
    for name in call.get("VMName", ()):
        with call.going_on():
            for machine in named(call.host, name, missing="ObjectNotFound"):
                found = [
                    controller
                    for controller in machine.scsi_controllers
                    if controller.number == call.parameters["ControllerNumber"]
                ]
                yield from found or _missing()


def _missing() -> list[ScsiController]:
    raise errors.hyper_v("ObjectNotFound", "No SCSI controller of this number is found.")


fact(
    "Add-VMScsiController",
    "four to a machine, 64 drives to each",
    "Microsoft's table of Hyper-V's limits; microsoft/openvmm#2379",
)
fact(
    "Add-VMScsiController",
    "a fifth: `InvalidParameter`; only while off (`InvalidState`)",
    f"ids {UNKNOWN}; the state too: stricter",
)
fact("Remove-VMScsiController", "one with drives, or before another one, is refused", UNKNOWN)
fact("Get-VMScsiController", "a number that no controller has gives nothing", UNKNOWN)
