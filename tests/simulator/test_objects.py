"""The Hyper-V module's objects: their properties, types and order are those of the module's own reflection."""

from __future__ import annotations

import json

import pytest
from tests.case_files import CASES
from tests.simulator.conftest import Talk

from hyperv_sim.fidelity_page import page
from hyperv_sim.records import EnumMember, NetList, NetObject, Scalar, Value
from hyperv_sim.state.enumerations import NetEnum

FILE = json.loads((CASES / "contract" / "module2019.json").read_text(encoding="utf-8"))
HYPER_V = "Microsoft.HyperV.PowerShell"
SHOWN = {
    f"{HYPER_V}.VirtualMachine": "Get-VM hv1",
    f"{HYPER_V}.VMProcessor": "Get-VMProcessor hv1",
    f"{HYPER_V}.VMMemory": "Get-VMMemory hv1",
    f"{HYPER_V}.VMNetworkAdapter": "Get-VMNetworkAdapter hv1",
    f"{HYPER_V}.VMInternalNetworkAdapter": "Get-VMNetworkAdapter -ManagementOS",
    f"{HYPER_V}.VMNetworkAdapterVlanSetting": "Get-VMNetworkAdapterVlan hv1",
    f"{HYPER_V}.HardDiskDrive": "Get-VMHardDiskDrive hv1",
    f"{HYPER_V}.DvdDrive": "Get-VMDvdDrive hv1",
    f"{HYPER_V}.VMScsiController": "Get-VMScsiController hv1",
    f"{HYPER_V}.VMFirmware": "Get-VMFirmware hv1",
    f"{HYPER_V}.VMSecurity": "Get-VMSecurity hv1",
    f"{HYPER_V}.VMIntegrationComponent": "Get-VMIntegrationService hv1 -Name Heartbeat",
    f"{HYPER_V}.VMSnapshot": "Get-VMSnapshot hv1",
    f"{HYPER_V}.VMSwitch": "Get-VMSwitch",
    f"{HYPER_V}.VMHost": "Get-VMHost",
    f"{HYPER_V}.VMHostSupportedVersion": "Get-VMHostSupportedVersion -Default",
    "Microsoft.Vhd.PowerShell.VirtualHardDisk": "Get-VHD C:\\os.vhdx",
}
"""What shows an object of each class."""

ALIASES = {
    **dict.fromkeys(
        [
            f"{HYPER_V}.{name}"
            for name in (
                *("VMProcessor", "VMMemory", "HardDiskDrive", "DvdDrive", "VMFirmware", "VMScsiController"),
                "VMIntegrationComponent",
            )
        ],
        ("VMCheckpointId", "VMCheckpointName"),
    ),
    **dict.fromkeys(
        (f"{HYPER_V}.VMNetworkAdapter", f"{HYPER_V}.VMInternalNetworkAdapter"),
        ("VMCheckpointId", "VMCheckpointName", "VmmqQueuePairs", "VmmqQueuePairsRequested"),
    ),
    f"{HYPER_V}.VirtualMachine": (
        *("ParentCheckpointId", "ParentCheckpointName", "VMName", "VMId", "CheckpointFileLocation"),
    ),
    f"{HYPER_V}.VMSnapshot": ("ParentCheckpointId", "ParentCheckpointName"),
    f"{HYPER_V}.VMSwitch": ("DefaultQueueVmmqQueuePairs", "DefaultQueueVmmqQueuePairsRequested"),
    "Microsoft.Vhd.PowerShell.VirtualHardDisk": ("Number",),
}
"""The type file's further names, as listings and a serialized machine show them."""

BASES = {
    "VirtualMachine": ("VirtualMachineBase", "ComputeResource", "VirtualizationObject"),
    "VMSnapshot": ("VirtualMachineBase", "ComputeResource", "VirtualizationObject"),
    "VMProcessor": ("VMDevice", "VMComponentObject", "VirtualizationObject"),
    "VMIntegrationComponent": ("VMDevice", "VMComponentObject", "VirtualizationObject"),
    "VMSwitch": ("VirtualizationObject",),
}
NOT_ON_2016 = {
    "VirtualMachine": {"AutomaticCheckpointsEnabled"},
    "VMSnapshot": {"IsAutomaticCheckpoint"},
    "VirtualHardDisk": {"IsPMEMCompatible", "AddressAbstractionType"},
}
NEVER_NULL = frozenset(
    {"Boolean", "DateTime", "Guid", "Int32", "Int64", "TimeSpan", "UInt32", "UInt64", *FILE["enumerations"]}
)
"""The types that hold no null."""


@pytest.fixture(scope="module")
def host() -> Talk:
    """A host with an object of each class, on Windows Server 2019."""
    return _made(Talk(windows="2019"))


def _made(host: Talk) -> Talk:
    made = host(
        "New-VMSwitch lab -SwitchType Internal; New-VHD C:\\os.vhdx -SizeBytes 4GB; "
        "New-VM hv1 -Generation 2 -VHDPath C:\\os.vhdx -SwitchName lab; Add-VMDvdDrive hv1; Checkpoint-VM hv1"
    )
    assert made.ids == []
    return host


def _object(host: Talk, statement: str) -> NetObject:
    (shown,) = host(statement).values
    assert isinstance(shown, NetObject)
    return shown


def _fits(value: Value, declared: str) -> bool:
    """Whether a value is of the declared type; null is any type's, if it is told nowhere."""
    bare = declared.removesuffix("?")
    if value is None:
        return True
    if isinstance(value, Scalar):
        return value.type_name == bare
    if isinstance(value, EnumMember):
        members = FILE["enumerations"][bare]["members"]
        return value.type_name == bare and members.get(value.name, 0) == value.number
    if isinstance(value, NetList):
        of = bare.split("<")[-1].rstrip(">").removesuffix("[]").removeprefix("System.")
        return of in value.type_names[0] and all(_fits(item, of) for item in value)
    assert isinstance(value, NetObject)
    return bare in value.type_names or bare in ("Microsoft.HyperV.PowerShell.Drive",)


@pytest.mark.parametrize("class_name", SHOWN)
def test_an_object_has_the_properties_of_its_class_in_the_declared_order(host: Talk, class_name: str) -> None:
    shown = _object(host, SHOWN[class_name])
    assert shown.type_names[0] == class_name
    assert list(shown.adapted) == [name for name, _ in FILE["classes"][class_name]]
    assert tuple(shown.extended) == ALIASES.get(class_name, ())


@pytest.mark.parametrize("class_name", SHOWN)
def test_a_property_has_the_declared_type(host: Talk, class_name: str) -> None:
    names = ",".join(f"'{name}'" for name, _ in FILE["classes"][class_name])
    selected = _object(host, f"{SHOWN[class_name]} | Select-Object {names}")
    wrong = {name: value for name, of in FILE["classes"][class_name] if not _fits(value := selected.extended[name], of)}
    assert wrong == {}


@pytest.mark.parametrize("class_name", SHOWN)
def test_only_what_may_be_null_or_is_listed_as_untold_is_null(host: Talk, class_name: str) -> None:
    listed = next((line for line in page().splitlines() if line.startswith(f"| {class_name} |")), "")
    shown = _object(host, SHOWN[class_name])
    null = {name for name, of in FILE["classes"][class_name] if of in NEVER_NULL and shown.adapted[name] is None}
    assert {name for name in null if f"`{name}`" not in listed} == set()


@pytest.mark.parametrize("name", BASES)
def test_an_object_tells_its_chain_of_types(host: Talk, name: str) -> None:
    chain = (f"{HYPER_V}.{name}", *(f"{HYPER_V}.{base}" for base in BASES[name]), "System.Object")
    assert _object(host, SHOWN[f"{HYPER_V}.{name}"]).type_names == chain


def test_the_guest_service_interface_has_the_properties_of_its_base(host: Talk) -> None:
    shown = _object(host, "Get-VMIntegrationService hv1 -Name 'Guest Service Interface'")
    names = [f"{HYPER_V}.{name}" for name in ("GuestServiceInterfaceComponent", "VMIntegrationComponent")]
    assert list(shown.type_names[:2]) == names
    assert list(shown.adapted) == [name for name, _ in FILE["classes"][names[1]]]


def test_an_older_windows_lacks_what_came_later(talk: type[Talk]) -> None:
    host = _made(talk(windows="2016"))
    for name, missing in NOT_ON_2016.items():
        class_name = next(full for full in SHOWN if full.endswith(f".{name}"))
        declared = [name for name, _ in FILE["classes"][class_name]]
        shown = _object(host, SHOWN[class_name])
        assert list(shown.adapted) == [name for name in declared if name not in missing]


def test_a_list_within_an_object_has_its_own_type(host: Talk) -> None:
    machine = _object(host, SHOWN[f"{HYPER_V}.VirtualMachine"])
    drives, adapters = machine.adapted["HardDrives"], machine.adapted["NetworkAdapters"]
    assert isinstance(drives, NetList)
    assert isinstance(adapters, NetList)
    assert drives.type_names == (f"{HYPER_V}.HardDiskDrive[]", "System.Array", "System.Object")
    assert adapters.type_names[0].startswith(f"System.Collections.Generic.List`1[[{HYPER_V}.VMNetworkAdapter, ")


def test_texts_of_objects_are_those_of_listings(host: Talk) -> None:
    machine = host.machine("hv1")
    assert _object(host, "Get-VM hv1").text == f"VirtualMachine (Name = 'hv1') [Id = '{machine.id}']"
    adapter = f"VMNetworkAdapter (Name = 'Network Adapter', VMName = 'hv1') [VMId = '{machine.id}']"
    assert _object(host, "Get-VMNetworkAdapterVlan hv1").adapted["ParentAdapter"] == Scalar("String", adapter)
    assert _object(host, "Get-VMNetworkAdapter -ManagementOS").text == "VMInternalNetworkAdapter, Name = 'lab'"
    assert _object(host, "Get-VM hv1").adapted["CimSession"] == Scalar("String", "CimSession: .")


def test_enumerations_have_the_module_s_numbers() -> None:
    for enumeration in NetEnum.__subclasses__():
        members = FILE["enumerations"][next(iter(enumeration)).type_name]["members"]
        assert {member.text: member.value for member in enumeration}.items() <= members.items()


def test_a_nat_has_cim_s_own_types_and_order_and_words_among_the_extended_ones(talk: type[Talk]) -> None:
    nat = _object(talk(), "New-NetNat lab -InternalIPInterfaceAddressPrefix 192.168.50.0/24")
    assert " ".join(nat.adapted) == (
        "Caption Description ElementName InstanceID Active ExternalIPInterfaceAddressPrefix IcmpQueryTimeout "
        "InternalIPInterfaceAddressPrefix InternalRoutingDomainId Name Store TcpEstablishedConnectionTimeout "
        "TcpFilteringBehavior TcpTransientConnectionTimeout UdpFilteringBehavior UdpIdleSessionTimeout "
        "UdpInboundRefresh PSComputerName"
    )
    assert nat.adapted["InstanceID"] == Scalar("String", "lab;0")
    assert (nat.adapted["Active"], nat.extended["Active"]) == (Scalar("Byte", 1), Scalar("String", "True"))
    assert (nat.adapted["Store"], nat.extended["Store"]) == (Scalar("UInt32", 0), Scalar("String", "Local"))


def test_an_instance_names_each_class_of_its_chain(talk: type[Talk]) -> None:
    nat = _object(talk(), "New-NetNat lab -InternalIPInterfaceAddressPrefix 192.168.50.0/24")
    chain = ["MSFT_NetNat", "MSFT_NetSettingData", "CIM_SettingData", "CIM_ManagedElement"]
    base = "Microsoft.Management.Infrastructure.CimInstance"
    qualified = [f"{base}#root/StandardCimv2/{name}" for name in chain]
    assert nat.type_names == (*qualified, *(f"{base}#{name}" for name in chain), base, "System.Object")
    metadata = nat.extended["__ClassMetadata"]
    assert isinstance(metadata, NetList)
    assert metadata.type_names == ("System.Collections.ArrayList", "System.Object")
    told = [entry for entry in metadata if isinstance(entry, NetObject)]
    assert [entry.extended["ClassName"] for entry in told] == [Scalar("String", name) for name in reversed(chain)]
    assert {entry.type_names for entry in told} == {()}
