"""Cut the simulated cmdlets' signatures out of full contract files.

To simulate another cmdlet, add its name to provider/src/hyperv_sim/contract/simulated.txt and run this again.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import click

CONTRACT = Path(__file__).resolve().parents[2] / "provider/src/hyperv_sim/contract"
WINDOWS = ("2016", "2019", "2022", "2025")
ALL_SETS = "__AllParameterSets"
KEPT_OF_A_PARAMETER = ("type", "nullable", "aliases", "values", "range", "checks")
SHOULD_PROCESS = ("WhatIf", "Confirm")
"""Parameters that PowerShell adds, so that they are no part of a signature."""

TYPE_ACCELERATORS = {
    "bool": "Boolean",
    "byte": "Byte",
    "ciminstance": "CimInstance",
    "guid": "Guid",
    "int": "Int32",
    "int16": "Int16",
    "long": "Int64",
    "pscredential": "PSCredential",
    "psobject": "PSObject",
    "string": "String",
    "switch": "SwitchParameter",
    "uint32": "UInt32",
    "uint64": "UInt64",
    "version": "Version",
}
"""The reflected module spells types as PowerShell abbreviates them. [about_Type_Accelerators]"""


def short(type_name: str) -> str:
    """The type without namespaces, also of what is in brackets: Nullable`1[System.DateTime]."""
    element = re.sub(r"(?:\w+\.)+(?=\w)", "", type_name.removesuffix("[]"))
    return TYPE_ACCELERATORS.get(element, element) + ("[]" if type_name.endswith("[]") else "")


def own_sets(cmdlet: dict[str, Any]) -> list[dict[str, Any]]:
    """The parameter sets in a file system: a provider cmdlet's other providers are not simulated."""
    for provider in ("FileSystem", None):
        sets = [parameter_set for parameter_set in cmdlet["sets"] if parameter_set.get("provider") == provider]
        if sets:
            return sets
    raise click.ClickException("a cmdlet without a parameter set for the file system")


def documented(cmdlet: dict[str, Any]) -> dict[str, Any]:
    """A signature by its page. Rows with a fourth item are doubtful (the page contradicts itself) and are left out."""
    sets = own_sets(cmdlet)
    parameters: dict[str, Any] = {}
    for name, entry in cmdlet["params"].items():
        rows = {each["name"]: each["params"][name] for each in sets if len(each["params"].get(name, ())) == 3}
        if rows and name not in SHOULD_PROCESS:
            parameters[name] = {**entry, "type": short(entry["type"]), "sets": rows}
    return {
        "module": cmdlet["module"],
        "aliases": cmdlet.get("aliases", []),
        "cdxml": cmdlet.get("cdxml", False),
        "should_process": cmdlet.get("should_process", False),
        "default_set": next((each["name"] for each in sets if each.get("default")), None),
        "params": parameters,
    }


def reflected(cmdlet: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a cmdlet of the real module, spelt as the pages' ones are."""
    parameters: dict[str, Any] = {}
    for name, entry in cmdlet["params"].items():
        inner = re.fullmatch(r"System\.Nullable\[(.+)\]", entry["type"])
        nullable = {"nullable": True} if inner else {}
        bounds = {"range": [int(bound) for bound in entry["range"]]} if "range" in entry else {}
        parameters[name] = {**entry, "type": short(inner[1] if inner else entry["type"]), **nullable, **bounds}
    return parameters


def merged(page: dict[str, Any], real: dict[str, Any] | None, windows: str) -> dict[str, Any]:
    """The page's signature as the real module has it, which is of Windows Server 2019's time.

    What the page does not tell (null checks, value sets, ranges, numbers, the order of the parameters) is the
    module's in every version. Parameters without a page are taken from 2019 on; parameters that only the page of a
    version has stay, unless the module has their name for an alias.
    """
    if real is None:
        return page
    module = reflected(real)
    if windows == WINDOWS[0]:
        module = {name: entry for name, entry in module.items() if name in page["params"]}
    aliases = {alias for entry in module.values() for alias in entry.get("aliases", [])}
    newer = {key: entry for key, entry in page["params"].items() if key not in module and key not in aliases}
    return {
        **page,
        "should_process": real["should_process"],
        "default_set": real["default_set"],
        "params": {**module, **newer},
    }


def cut(signature: dict[str, Any]) -> dict[str, Any]:
    """What binding needs of a signature, without what is empty."""
    parameters = {
        name: {"sets": entry["sets"], **{key: entry[key] for key in KEPT_OF_A_PARAMETER if entry.get(key)}}
        for name, entry in signature["params"].items()
    }
    return {**{key: value for key, value in signature.items() if value}, "params": parameters}


def variants(name: str, files: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """One entry per signature, with the Windows versions that have it."""
    signatures: list[dict[str, Any]] = []
    for windows in WINDOWS:
        page = files[windows]["cmdlets"].get(name) or files["powershell51"]["cmdlets"].get(name)
        if page is None:
            raise click.ClickException(f"{name} is in no contract file for Windows Server {windows}")
        signature = cut(merged(documented(page), files["module2019"]["cmdlets"].get(name), windows))
        same = next(
            (variant for variant in signatures if {**variant, "windows": None} == {"windows": None, **signature}), None
        )
        if same:
            same["windows"].append(windows)
        else:
            signatures.append({"windows": [windows], **signature})
    return signatures


def enumerations(cmdlets: dict[str, list[dict[str, Any]]], module: dict[str, Any]) -> dict[str, dict[str, int]]:
    """The members of the enumerations that parameters have, with their numbers, by the type's short name."""
    members = {name.rsplit(".", 1)[-1]: entry["members"] for name, entry in module["enums"].items()}
    types = {
        entry["type"].removesuffix("[]")
        for signatures in cmdlets.values()
        for signature in signatures
        if signature["module"] == "Hyper-V"
        for entry in signature["params"].values()
    }
    return {name: members[name] for name in sorted(types & members.keys())}


def lines(entries: dict[str, Any]) -> str:
    """A JSON object with a line for each entry, so that a rebuild diffs well."""
    rows = [f'"{name}": {json.dumps(entry, separators=(",", ":"))}' for name, entry in entries.items()]
    return "{\n" + ",\n".join(rows) + "\n}"


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Write the contract of the simulated host from the full files in FOLDER."""
    paths = {windows: folder / f"winserver{windows}.json" for windows in WINDOWS}
    paths |= {"powershell51": folder / "powershell51.json", "module2019": folder / "module2019.json"}
    files = {key: json.loads(path.read_text(encoding="utf-8")) for key, path in paths.items()}
    names = (CONTRACT / "simulated.txt").read_text(encoding="utf-8").split()
    cmdlets = {name: variants(name, files) for name in sorted(names)}
    sources = json.dumps([files[key]["source"] for key in paths])
    numbered = lines(enumerations(cmdlets, files["module2019"]))
    text = '{\n"source": ' + sources + ',\n"enumerations": ' + numbered + ',\n"cmdlets": ' + lines(cmdlets) + "\n}\n"
    (CONTRACT / "cmdlets.json").write_text(text, encoding="utf-8")
    click.echo(f"{len(names)} cmdlets, {len(text)} characters")


if __name__ == "__main__":
    main()
