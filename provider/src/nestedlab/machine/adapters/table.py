"""The table of a machine's network adapter, and how MAC addresses and VLANs compare."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from nestedlab.declare import Change, Part, Row
from nestedlab.limits import REFERENCE, Source, sourced
from nestedlab.names import Name, SwitchName, bare_mac, same_mac, same_name
from nestedlab.nouns import ON_OFF, TEXT, VMNetworkAdapter, VMNetworkAdapterConnection

# On one adapter that is piped in: the machine's own rows go through all of its adapters.
_Adapter = replace(VMNetworkAdapter, through=())
_Connection = replace(VMNetworkAdapterConnection, through=())

_MAC = re.compile(r"[0-9A-F]{12}")
_VLANS = re.compile(r"\d+(-\d+)?(,\d+(-\d+)?)*")


# A mode that no program can ask for (VMNetworkAdapterVlanMode): a drift, to be seen and healed.
PRIVATE = "Private"


def _mac(mac: str) -> str:
    bare = bare_mac(mac)
    if mac and (not _MAC.fullmatch(bare) or int(bare[1], 16) & 1 or not int(bare, 16)):
        raise ValueError(
            "must be the MAC address of one adapter, such as 00:15:5D:01:02:03, or empty for a dynamic one"
        )
    return mac


def vlans(text: str) -> frozenset[int]:
    """The VLANs of a list such as "10,20-29". Raises ValueError."""
    if not text:
        return frozenset()
    if not _VLANS.fullmatch(text):
        raise ValueError("must be a list of VLANs such as 10,20-29")
    ends = [[int(end) for end in span.split("-")] for span in text.split(",")]
    found = frozenset(vlan for span in ends for vlan in range(span[0], span[-1] + 1))
    # From 0: so Microsoft's guide to virtual machines on Azure Local has it (-AllowedVlanIdList 0-1000).
    if not found - {0} or max(found) > 4094:
        raise ValueError("must be VLANs up to 4094, smaller ones first in a span, and not 0 alone")
    return found


def same_vlans(wanted: str, there: str) -> bool:
    """Whether two lists name the same VLANs; the host may show what no program can ask for.

    0 makes no difference: it stands for packets without a tag, which the native VLAN is for.
    """
    try:
        return vlans(wanted) - {0} == vlans(there) - {0}
    except ValueError:
        return wanted == there


_802_1Q = "IEEE 802.1Q, which reserves 4095"

VlanId = Annotated[int, Field(ge=0, le=4094), Source(_802_1Q)]


def _trunk(text: str) -> str:
    vlans(text)
    return text


class Adapter(Part):
    """A network adapter of a machine."""

    key: ClassVar[tuple[str, ...]] = ("name",)

    name: Annotated[Name, Row(_Adapter.shows("Name"), by="Add-VMNetworkAdapter -Name", same=same_name)]
    """Name of the adapter, which identifies it among the machine's others."""
    switch: Annotated[SwitchName, Row(_Connection("SwitchName", form=TEXT), same=same_name)] = ""
    """Name of the switch on the host that the adapter is connected to; empty for none."""
    mac: Annotated[
        str,
        AfterValidator(_mac),
        Source(
            "dsccommunity/HyperVDsc#172 for the form; hashicorp/vagrant#11681 for addresses of groups; zeros are what "
            "Get-VMNetworkAdapter shows for none",
            "twelve hex digits, not of a group and not only zeros, or empty",
        ),
        Row(
            None,
            Change.OFF,
            by="Set-VMNetworkAdapter -StaticMacAddress, Get-VMNetworkAdapter.MacAddress",
            same=same_mac,
        ),
    ] = ""
    """The adapter's MAC address; empty for a dynamic one, which the host chooses."""
    mac_spoofing: Annotated[bool, Row(_Adapter("MacAddressSpoofing", form=ON_OFF))] = False
    """Whether the adapter may send with other MAC addresses than its own; see `mac_spoofing` of the machine."""
    dhcp_guard: Annotated[bool, Row(_Adapter("DhcpGuard", form=ON_OFF))] = False
    """Whether DHCP offers from the machine are dropped."""
    router_guard: Annotated[bool, Row(_Adapter("RouterGuard", form=ON_OFF))] = False
    """Whether router advertisements from the machine are dropped."""
    device_naming: Annotated[bool, Row(_Adapter("DeviceNaming", form=ON_OFF), Change.OFF)] = False
    """Whether the guest can see the adapter's name."""
    vlan: Annotated[VlanId, Row(by="Set-VMNetworkAdapterVlan -VlanId, Get-VMNetworkAdapterVlan.AccessVlanId")] = 0
    """The VLAN that the adapter is in (access mode); 0 for none."""
    trunk: Annotated[
        str,
        AfterValidator(_trunk),
        Source(
            f"{_802_1Q}; Microsoft's guide to virtual machines on Azure Local for lists from 0; "
            "our choice: not 0 alone, which passes no tag",
            "VLANs up to 4094 and spans of them, not 0 alone; or empty",
        ),
        Row(
            by="Set-VMNetworkAdapterVlan -AllowedVlanIdList, Get-VMNetworkAdapterVlan.AllowedVlanIdList",
            same=same_vlans,
        ),
    ] = ""
    """The VLANs that the adapter passes with their tags (trunk mode), such as 10,20-29; empty for none."""
    native_vlan: Annotated[
        VlanId,
        Row(by="Set-VMNetworkAdapterVlan -NativeVlanId, Get-VMNetworkAdapterVlan.NativeVlanId"),
    ] = 0
    """The VLAN of untagged packets in trunk mode."""

    @field_validator("trunk")
    @classmethod
    @sourced(Source(f"{REFERENCE} of Set-VMNetworkAdapterVlan", "not together with `vlan`"))
    def _one_mode(cls, trunk: str, info: ValidationInfo) -> str:
        if trunk and info.data.get("vlan"):
            raise ValueError("an adapter is either in one VLAN (vlan) or passes several (trunk)")
        return trunk

    @field_validator("native_vlan")
    @classmethod
    @sourced(Source(f"{REFERENCE} of Set-VMNetworkAdapterVlan", "only together with `trunk`"))
    def _of_a_trunk(cls, native_vlan: int, info: ValidationInfo) -> int:
        if native_vlan and info.data.get("trunk") == "":
            raise ValueError("native_vlan is for an adapter with trunk: set trunk too, or use vlan instead")
        return native_vlan
