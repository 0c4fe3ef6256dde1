"""NestedHyperVHost: a virtual machine that can run Hyper-V of its own. The table; what it takes is in machines.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PureWindowsPath
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nestedlab.declare import Change, Properties, Resource, Row
from nestedlab.nouns import (
    IDENTITY,
    MIB,
    NOTES,
    ON_OFF,
    OWNER,
    RUNNING,
    TEXT,
    VM,
    VMMemory,
    VMNetworkAdapter,
    VMNetworkAdapterConnection,
    VMProcessor,
)
from nestedlab.resources.disk import Disk, disk_change, same_disk
from nestedlab.resources.names import Name, Owner, SwitchName, WindowsPath, same_name, same_path, same_text


def _same_folder(asked: str, found: str) -> bool:
    # New-VM -Path P makes the machine's folder P\NAME, and that is what Get-VM shows.
    return same_path(asked, found) or same_path(asked, str(PureWindowsPath(found).parent))


class NestedHyperVHost(Resource):
    """A virtual machine that can run Hyper-V: Generation 2, static memory, virtualization extensions exposed."""

    title: ClassVar[str] = "machine"

    name: Annotated[Name, Row(VM("NewVMName", reads="Name"), same=same_name)]
    """Name of the machine on the host. By default the resource's logical name."""
    processors: Annotated[int, Field(ge=1, le=2048), Row(VMProcessor("Count"), Change.OFF)] = 4
    """Virtual processors given to the machine."""
    memory_mib: Annotated[
        int,
        Field(ge=32, le=240 * 1024**2, multiple_of=2),
        Row(VMMemory("StartupBytes", reads="Startup", form=MIB), Change.OFF),
    ] = 8192
    """Memory given to the machine, in MiB, a multiple of 2. It is static; 4096 is the least that a nested host is
    of use with."""
    os_disk: Annotated[Disk, Row(change=disk_change, same=same_disk)]
    """The disk that the machine starts from."""
    switch: Annotated[SwitchName, Row(VMNetworkAdapterConnection("SwitchName", form=TEXT), same=same_name)] = ""
    """Name of the switch on the host that the machine's network adapter is connected to; empty for none."""
    mac_spoofing: Annotated[bool, Row(VMNetworkAdapter("MacAddressSpoofing", form=ON_OFF))] = False
    """Whether the adapter may send with other MAC addresses than its own, so that machines inside the nested host reach
    the network directly. It weakens isolation: where that is unwelcome, use a NatSwitch inside or outside."""
    running: Annotated[bool, Row(VM.shows("State", form=RUNNING))] = True
    """Whether the machine is to run."""
    notes: Annotated[str, Row(VM("Notes", form=NOTES), same=same_text)] = ""
    """Free text kept with the machine."""
    path: Annotated[WindowsPath | None, Row(VM.shows("Path"), Change.REPLACE, same=_same_folder)] = None
    """Folder on the host under which the machine's own folder is made. By default the host's."""

    generation: Annotated[Literal[2], Row(VM.shows("Generation"), Change.REPLACE)] = 2
    """Generation of the machine. Always 2."""
    dynamic_memory: Annotated[Literal[False], Row(VMMemory("DynamicMemoryEnabled"), Change.OFF)] = False
    """Whether the memory is dynamic. Always off: nested virtualization rules it out."""
    expose_virtualization_extensions: Annotated[
        Literal[True], Row(VMProcessor("ExposeVirtualizationExtensions"), Change.OFF)
    ] = True
    """Whether the virtual processor offers the virtualization extensions to the guest. Always on."""
    owner: Annotated[Owner, Row(VM("Notes", form=OWNER))]
    """Who the machine belongs to, as project/stack/logical name; kept in its notes."""

    vm_id: Annotated[str, Row(VM.shows("Id", form=IDENTITY), computed=True)] = ""
    """The machine's GUID."""
    version: Annotated[str, Row(VM.shows("Version", form=TEXT), computed=True)] = ""
    """The machine's configuration version."""
    os_disk_path: Annotated[str, Row(computed=True)] = ""
    """The file of the disk that the machine starts from."""

    @classmethod
    def refusals(cls, before: Properties, asked: Properties) -> Iterator[tuple[tuple[str, ...], str]]:
        """A disk does not shrink: what is beyond the new end would be lost."""
        was, size = ((inputs.get("os_disk") or {}).get("size_gib") for inputs in (before, asked))
        if was is not None and size is not None and size < was:
            reason = f"a disk cannot shrink: it has {was} GiB; ask for that or more"
            yield ("os_disk", "size_gib"), reason
