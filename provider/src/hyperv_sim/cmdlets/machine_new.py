"""New-VM."""

from __future__ import annotations

import ntpath
import re
from collections.abc import Iterator

from hyperv_sim import errors
from hyperv_sim.cmdlets.memory import misaligned
from hyperv_sim.fidelity import REFERENCE, UNKNOWN, WINDSOR, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.names import unfit
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.powershell.targets import switch_named
from hyperv_sim.state.disks import blank, create, failure, format_of
from hyperv_sim.state.enumerations import ControllerType, VhdFormat
from hyperv_sim.state.files import File
from hyperv_sim.state.machines import Adapter, Drive, DvdDrive, Machine

_NO_FOLDER = re.compile(r'[\\/:*?"<>|\x00-\x1f]')

TAKES = ("Name", "MemoryStartupBytes", "NoVHD", "SwitchName", "Path", "Version", "Generation", "Force")


@cmdlet("New-VM", takes=(*TAKES, "NewVHDPath", "NewVHDSizeBytes", "VHDPath"))
def new_vm(call: Call) -> Iterator[object]:
    """New-VM: a name in use makes a second machine of that name; one adapter is always there."""
    machine = _machine(call)
    adapter = Adapter("Network Adapter", machine)
    if "SwitchName" in call.parameters:
        adapter.switch = switch_named(call.host, call.parameters["SwitchName"])
    machine.adapters.append(adapter)
    if machine.generation == 1:
        machine.dvd_drives.append(DvdDrive(machine, ControllerType.IDE, 1, 0))
    _attach_disk(call, machine)
    call.host.machines[machine.id] = machine
    call.host.files.put(File(machine.configuration_file))
    yield machine


def _machine(call: Call) -> Machine:
    """The machine itself, checked, but not on the host yet."""
    name = call.get("Name", "New Virtual Machine")
    wrong = unfit(call, name)
    if wrong:
        raise errors.hyper_v("InvalidParameter", f"'{name}' could not be created. {wrong}")
    folder = call.host.virtual_machine_path
    if "Path" in call.parameters:
        if not ntpath.isabs(call.parameters["Path"]):
            raise errors.not_simulated("New-VM -Path with a relative path")
        if call.host.files.find(ntpath.splitdrive(call.parameters["Path"])[0] + "\\") is None:
            raise failure(f"'{name}' could not be created in '{call.parameters['Path']}'", 0x80070003)
        if _NO_FOLDER.search(name):
            raise failure(f"'{name}' could not be created in '{call.parameters['Path']}'", 0x8007007B)
        folder = ntpath.join(ntpath.normpath(call.parameters["Path"]), name)
    version = call.get("Version", call.host.facts.default_vm_version)
    if version not in call.host.facts.vm_versions:
        raise errors.hyper_v("InvalidParameter", f"The virtual machine version '{version}' is not supported.")
    machine = Machine(
        name,
        call.get("Generation", 1),
        version,
        folder,
        host_name=call.host.name,
        language=call.host.language,
        is_clustered=call.host.is_clustered,
    )
    machine.snapshot_file_location = machine.smart_paging_file_path = folder
    machine.processor.maximum_per_numa_node = call.host.logical_processors
    machine.memory.maximum_per_numa_node = call.host.memory
    startup = call.get("MemoryStartupBytes", machine.memory.startup)
    wrong = misaligned(call, startup)
    if wrong:
        raise errors.hyper_v("InvalidParameter", f"Invalid memory value assigned for '{name}'. {wrong}")
    machine.memory.startup = startup
    return machine


def _attach_disk(call: Call, machine: Machine) -> None:
    """Attach a new disk or one that is there."""
    if "NewVHDPath" in call.parameters:
        path = _disk_path(call, machine)
        _check_generation(machine, path)
        if not ntpath.isabs(call.parameters["NewVHDPath"]):
            call.host.files.put(File(ntpath.dirname(path), is_folder=True))
        create(call.host.files, path, blank(path, call.parameters["NewVHDSizeBytes"]))
    elif "VHDPath" in call.parameters:
        path = call.parameters["VHDPath"]
        file = call.host.files.find(path)
        if file is None or file.disk is None:
            raise errors.hyper_v("OperationFailed", f"The disk '{path}' was not found. (0x80070002).")
        _check_generation(machine, path)
    else:
        return
    machine.drives.append(Drive(machine, *next(machine.free_slots()), path))


def _check_generation(machine: Machine, path: str) -> None:
    if machine.generation == 2 and format_of(path) is VhdFormat.VHD:
        raise errors.hyper_v("InvalidParameter", "A generation 2 virtual machine takes no disk in the format VHD.")


def _disk_path(call: Call, machine: Machine) -> str:
    """A bare file name goes to the host's folder for disks [New-VM's reference], or the machine's own under -Path."""
    path: str = call.parameters["NewVHDPath"]
    if ntpath.isabs(path):
        return ntpath.normpath(path)
    own = ntpath.join(machine.path, "Virtual Hard Disks")
    return ntpath.normpath(ntpath.join(own if "Path" in call.parameters else call.host.virtual_hard_disk_path, path))


fact("New-VM", "a name in use makes a second machine of that name", "schtritoff/hyperv-vm-provisioning#44")
fact(
    "New-VM",
    'one adapter "Network Adapter", unconnected unless -SwitchName; generation 1, 512 MiB, 1 processor by default',
    f"{REFERENCE}; {WINDSOR}",
)
fact(
    "New-VM",
    "-Path makes a folder named after the machine, so that its name must be one; without it: the host's folder",
    f"a public report of a Windows 11 host for the latter; the folder inferred; its error {UNKNOWN}",
)
fact(
    "New-VM",
    "a bare -NewVHDPath goes to the host's folder for disks [documented], under -Path to the machine's own [inferred]",
    REFERENCE,
)
fact(
    "New-VM",
    "memory from 32 MiB on in steps of 2 MiB, else `InvalidParameter`",
    "FuseCP/FuseCP#180, microsoft/hcsshim#589, kubernetes/minikube#6973, #16592; id inferred from the category",
)
fact(
    "New-VM",
    "a new disk is made by the rules of New-VHD, with its errors",
    f"{UNKNOWN}; by analogy",
)
fact(
    "New-VM",
    "a -VHDPath that is missing, and a -Path on a missing drive: `OperationFailed`",
    f"by analogy with MicrosoftDocs/windows-powershell-docs#2286; {UNKNOWN}",
)
fact("New-VM", "a -Version that the host lacks is `InvalidParameter`", UNKNOWN)
fact("New-VM", "generation 1 has an empty DVD drive at IDE 1:0, generation 2 has none", WINDSOR)
fact("New-VM", "one SCSI controller in both generations", "inferred")
