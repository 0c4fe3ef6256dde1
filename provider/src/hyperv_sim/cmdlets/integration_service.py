"""The object VMIntegrationComponent; Get-, Enable-, Disable-VMIntegrationService."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from hyperv_sim import errors
from hyperv_sim.fidelity import UNKNOWN, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.components import DEVICE_BASES, PART, PART_ALIASES, PART_VALUES
from hyperv_sim.powershell.declared_types import describe_class
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.powershell.targets import each, machines
from hyperv_sim.state.components import component_id, component_text
from hyperv_sim.state.enumerations import HYPER_V
from hyperv_sim.state.integration_components import COMPONENTS
from hyperv_sim.state.machines import GuestServiceInterface, IntegrationService, Machine

COMPONENT = f"{HYPER_V}.VMIntegrationComponent"
WHICH = ("VMName", "VM", "Name", "VMIntegrationService")


def _name(service: IntegrationService) -> str:
    return COMPONENTS[service.component][service.machine.language]


VALUES: Mapping[str, Callable[[IntegrationService], object]] = {
    **PART_VALUES,
    "Enabled": lambda service: service.enabled,
    "Name": _name,
    "Id": lambda service: component_id(service.machine, service.component),
}


def _text(service: IntegrationService) -> str:
    return component_text("VMIntegrationComponent", _name(service), service.machine, service.component)


describe_class(
    IntegrationService, COMPONENT, VALUES, constants=PART, bases=DEVICE_BASES, aliases=PART_ALIASES, text=_text
)
describe_class(
    GuestServiceInterface,
    f"{HYPER_V}.GuestServiceInterfaceComponent",
    VALUES,
    constants=PART,
    bases=(COMPONENT, *DEVICE_BASES),
    aliases=PART_ALIASES,
    text=_text,
    as_class=COMPONENT,
)


@cmdlet("Get-VMIntegrationService", takes=("VMName", "VM", "Name"))
def get_vm_integration_service(call: Call) -> Iterator[object]:
    """Get-VMIntegrationService, all of a machine's or those of -Name, in the language of the host."""
    yield from each(call, machines(call), lambda machine: _of_name(call, machine))


def _of_name(call: Call, machine: Machine) -> Iterator[IntegrationService]:
    if "Name" not in call.parameters:
        yield from machine.integration_services
    for name in call.get("Name", ()):
        with call.going_on():
            found = [service for service in machine.integration_services if _name(service).lower() == name.lower()]
            if not found:
                message = "A parameter is invalid. No integration component with the given name was found."
                raise errors.hyper_v("InvalidParameter", message)
            yield from found


@cmdlet("Enable-VMIntegrationService", takes=(*WHICH, "Passthru"))
def enable_vm_integration_service(call: Call) -> Iterator[object]:
    """Enable-VMIntegrationService, in any state."""
    yield from _turn(call, enabled=True)


@cmdlet("Disable-VMIntegrationService", takes=(*WHICH, "Passthru"))
def disable_vm_integration_service(call: Call) -> Iterator[object]:
    """Disable-VMIntegrationService, in any state."""
    yield from _turn(call, enabled=False)


def _turn(call: Call, *, enabled: bool) -> Iterator[object]:
    for service in list(_chosen(call)):
        if not call.host.hooks.forgets(call.cmdlet.name, "Enabled"):
            service.enabled = enabled
        if call.get("Passthru"):
            yield service


def _chosen(call: Call) -> Iterator[IntegrationService]:
    for service in call.get("VMIntegrationService", ()):
        with call.going_on():
            if service.machine.id not in call.host.machines:
                raise errors.hyper_v("ObjectNotFound", f"The virtual machine '{service.machine.name}' does not exist.")
            yield service
    if "VMIntegrationService" not in call.parameters:
        for machine in machines(call):
            yield from _of_name(call, machine)


INTEGRATION_GUIDE = "Microsoft's guide to integration services, which does it to a machine whose services report OK"

fact(
    "Get-VMIntegrationService",
    r"ids Microsoft:<machine>\<component> in any language; English and German names",
    "listings of an English and a German host in a public script; PlagueHO/LabBuilder#183",
)
fact("Get-VMIntegrationService", "a name of no service: `InvalidParameter`", "PlagueHO/LabBuilder#183")
fact("Get-VMIntegrationService", "statuses are null or empty: no guest reports any", "not simulated")
fact("Get-VMIntegrationService", "all are on but the guest service interface", "PlagueHO/LabBuilder#41")
fact("Get-VMIntegrationService", "wildcards in -Name are taken as text, and so find nothing", UNKNOWN)
fact("Enable-VMIntegrationService", "in any state of the machine", INTEGRATION_GUIDE)
fact("Disable-VMIntegrationService", "in any state of the machine", INTEGRATION_GUIDE)
