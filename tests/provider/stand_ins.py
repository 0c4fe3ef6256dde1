"""Stand-ins for the commands of a role, for a real PowerShell without Hyper-V: the contract's signatures, no bodies.

Cmdlets are classes in C#, those that are made of CIM classes functions, as on Windows. A stand-in does nothing but send
on one object of its noun, so that what is piped is bound too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from hyperv_sim.contract import ALL_SETS, EVERY_SET, Cmdlet, ParameterType

NET_TYPES = {
    "Boolean": "bool",
    "Byte": "byte",
    "CimInstance": "object",
    "CimSession": "object",
    "Guid": "System.Guid",
    "Int16": "short",
    "Int32": "int",
    "Int64": "long",
    "Object": "object",
    "PSCredential": "PSCredential",
    "PSObject": "PSObject",
    "String": "string",
    "SwitchParameter": "System.Management.Automation.SwitchParameter",
    "TimeSpan": "System.TimeSpan",
    "UInt16": "ushort",
    "UInt32": "uint",
    "UInt64": "ulong",
    "Version": "System.Version",
}
BASES = {"VirtualMachine": "VirtualMachineBase", "VMNetworkAdapter": "VMNetworkAdapterBase"}
MADE = {
    "VM": "VirtualMachine",
    "VMDvdDrive": "DvdDrive",
    "VMHardDiskDrive": "HardDiskDrive",
    "VMNetworkAdapter": "VMNetworkAdapter",
    "VMSnapshot": "VMSnapshot",
    "VMSwitch": "VMSwitch",
}
"""What the commands of a noun send on."""


def source(cmdlets: Iterable[Cmdlet]) -> str:
    """The C# of the compiled stand-ins, an assembly for all of their modules."""
    own = [cmdlet for cmdlet in cmdlets if not cmdlet.is_cim]
    parameters = [parameter for cmdlet in own for parameter in cmdlet.parameters.values()]
    numbered = {parameter.type_name: parameter.members for parameter in parameters if parameter.members}
    others = {parameter.type_name for parameter in parameters} - NET_TYPES.keys() - numbered.keys()
    classes = sorted(others | {*MADE.values(), *BASES.values()})
    lines = ["using System.Management.Automation;", "namespace StandIns {"]
    for name, members in sorted(numbered.items()):
        lines.append(f"public enum {name} {{ {', '.join(f'{key} = {value}' for key, value in members.items())} }}")
    lines += [f"public class {name} : {BASES.get(name, 'object')} {{ }}" for name in classes]
    for cmdlet in own:
        lines += _cmdlet(cmdlet)
    return "\n".join([*lines, "}", ""])


def write_modules(folder: Path, cmdlets: Iterable[Cmdlet], assembly: Path) -> None:
    """The modules that the commands are in on Windows: of the assembly, or of functions."""
    modules: dict[str, list[Cmdlet]] = {}
    for cmdlet in cmdlets:
        modules.setdefault(cmdlet.module, []).append(cmdlet)
    for module, own in modules.items():
        place = folder / module
        place.mkdir(parents=True)
        if own[0].is_cim:
            functions = "\n".join(_function(cmdlet) for cmdlet in own)
            (place / f"{module}.psm1").write_text(functions, encoding="utf-8")
        else:
            (place / assembly.name).symlink_to(assembly)  # PowerShell takes one file for one module
        root, kind = (f"{module}.psm1", "Functions") if own[0].is_cim else (assembly.name, "Cmdlets")
        exported = ", ".join(f"'{cmdlet.name}'" for cmdlet in own)
        text = f"@{{ ModuleVersion = '1.0'; RootModule = '{root}'; {kind}ToExport = @({exported}) }}\n"
        (place / f"{module}.psd1").write_text(text, encoding="utf-8")


def _function(cmdlet: Cmdlet) -> str:
    rows = [
        f"[{NET_TYPES.get(parameter.type_name, 'object')}{'[]' if parameter.is_array else ''}]${name}"
        for name, parameter in cmdlet.parameters.items()
    ]
    process = "SupportsShouldProcess" if "Confirm" in cmdlet.added else ""
    return f"function {cmdlet.name} {{ [CmdletBinding({process})] param({', '.join(rows)}) }}\n"


def _cmdlet(cmdlet: Cmdlet) -> Iterator[str]:
    verb, noun = cmdlet.name.split("-")
    default = "" if cmdlet.set_names[0] == ALL_SETS else f', DefaultParameterSetName = "{cmdlet.set_names[0]}"'
    process = ", SupportsShouldProcess = true" if "Confirm" in cmdlet.added else ""
    yield f'[Cmdlet("{verb}", "{noun}"{default}{process})] public class {verb}{noun} : PSCmdlet {{'
    for parameter in cmdlet.parameters.values():
        yield f"  {_attributes(cmdlet, parameter)} public {_net_type(parameter)} {parameter.name} {{ get; set; }}"
    sent = f"WriteObject(new {MADE[noun]}());" if noun in MADE else ""
    yield f"  protected override void ProcessRecord() {{ {sent} }} }}"


def _attributes(cmdlet: Cmdlet, parameter: ParameterType) -> str:
    found = []
    for place in parameter.places:
        named = {
            "ParameterSetName": "" if place.flag == EVERY_SET else f'"{cmdlet.set_name(place.flag)}"',
            "Mandatory": "true" if place.mandatory else "",
            "Position": "" if place.position is None else str(place.position),
            "ValueFromPipeline": "true" if place.by_value else "",
            "ValueFromPipelineByPropertyName": "true" if place.by_property_name else "",
        }
        found.append(f"[Parameter({', '.join(f'{key} = {value}' for key, value in named.items() if value)})]")
    if parameter.aliases:
        aliases = ", ".join(f'"{alias}"' for alias in parameter.aliases)
        found.append(f"[Alias({aliases})]")
    if parameter.no_null:
        found.append("[ValidateNotNullOrEmpty]" if parameter.no_empty else "[ValidateNotNull]")
    return "".join(found)


def _net_type(parameter: ParameterType) -> str:
    name = NET_TYPES.get(parameter.type_name, parameter.type_name)
    return f"{name}{'?' if parameter.is_nullable else ''}{'[]' if parameter.is_array else ''}"
