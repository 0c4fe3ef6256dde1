"""CIM classes: what an instance of one tells of its class, and of the classes that it derives from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from hyperv_sim.fidelity import POWERSHELL, fact
from hyperv_sim.powershell.properties import Property, describe
from hyperv_sim.records import NetList, NetObject, Scalar, Value

T = TypeVar("T")

INSTANCE = "Microsoft.Management.Infrastructure.CimInstance"
NAMESPACE = "root/StandardCimv2"
HARDWARE = "root/cimv2"
_ARRAY_LIST = ("System.Collections.ArrayList", "System.Object")

_BASES: Mapping[str, Mapping[str, str]] = {
    NAMESPACE: {
        "MSFT_NetNat": "MSFT_NetSettingData",
        "MSFT_NetNatStaticMapping": "MSFT_NetSettingData",
        "MSFT_NetSettingData": "CIM_SettingData",
        "CIM_SettingData": "CIM_ManagedElement",
        "MSFT_NetIPAddress": "CIM_IPProtocolEndpoint",
        "CIM_IPProtocolEndpoint": "CIM_ProtocolEndpoint",
        "CIM_ProtocolEndpoint": "CIM_ServiceAccessPoint",
        "CIM_ServiceAccessPoint": "CIM_EnabledLogicalElement",
        "MSFT_NetRoute": "CIM_NextHopRoute",
        "CIM_NextHopRoute": "CIM_ManagedElement",
        "MSFT_NetAdapter": "CIM_NetworkPort",
        "CIM_NetworkPort": "CIM_LogicalPort",
        "CIM_LogicalPort": "CIM_LogicalDevice",
        "CIM_LogicalDevice": "CIM_EnabledLogicalElement",
        "CIM_EnabledLogicalElement": "CIM_LogicalElement",
        "CIM_LogicalElement": "CIM_ManagedSystemElement",
        "CIM_ManagedSystemElement": "CIM_ManagedElement",
    },
    HARDWARE: {
        "Win32_OperatingSystem": "CIM_OperatingSystem",
        "CIM_OperatingSystem": "CIM_LogicalElement",
        "Win32_ComputerSystem": "CIM_UnitaryComputerSystem",
        "CIM_UnitaryComputerSystem": "CIM_ComputerSystem",
        "CIM_ComputerSystem": "CIM_System",
        "CIM_System": "CIM_LogicalElement",
        "Win32_Processor": "CIM_Processor",
        "CIM_Processor": "CIM_LogicalDevice",
        "Win32_LogicalDisk": "CIM_LogicalDisk",
        "CIM_LogicalDisk": "CIM_StorageExtent",
        "CIM_StorageExtent": "CIM_LogicalDevice",
        "CIM_LogicalDevice": "CIM_LogicalElement",
        "CIM_LogicalElement": "CIM_ManagedSystemElement",
    },
}
"""What each class derives from, in each namespace."""


def describe_cim(
    kind: type[T], namespace: str, class_name: str, properties: Sequence[Property[T]], *, text: Callable[[T], str]
) -> None:
    """Declare that objects of `kind` are instances of a CIM class, such as root/StandardCimv2, MSFT_NetNat."""
    chain = list(_chain(namespace, class_name))
    qualified = [f"{INSTANCE}#{namespace}/{name}" for name in chain]
    plain = [f"{INSTANCE}#{name}" for name in chain]
    describe(
        kind,
        qualified[0],
        [*properties, Property("PSComputerName", "String", lambda _: None, is_constant=True)],
        bases=(*qualified[1:], *plain, INSTANCE),
        text=text,
        notes={"__ClassMetadata": _metadata(namespace, chain)},
    )


def _chain(namespace: str, class_name: str) -> Iterator[str]:
    """The class and those that it derives from."""
    name: str | None = class_name
    while name:
        yield name
        name = _BASES[namespace].get(name)


def _metadata(namespace: str, chain: Sequence[str]) -> Value:
    """What tells a receiving PowerShell the classes, the base first. Their Hash and MiXml are left out."""
    return NetList(
        _ARRAY_LIST,
        [
            NetObject(
                (),
                extended={
                    "ClassName": Scalar("String", name),
                    "Namespace": Scalar("String", namespace),
                    "ServerName": Scalar("String", "HYPERV"),
                },
            )
            for name in reversed(chain)
        ],
    )


fact(
    "CIM cmdlets",
    "an instance's types name each class of its chain, first with the namespace",
    f"{POWERSHELL} (CimInstanceTypeAdapter); the chains from microsoft/wmi and Microsoft's reference of the classes",
)
fact(
    "CIM cmdlets",
    "__ClassMetadata is an ArrayList with an object without types for each class of the chain, the base first; "
    "PSComputerName is null, and the last of an instance's own properties",
    "test data of VirtualEngine/Lability; without Hash and MiXml, which are not simulated",
)
