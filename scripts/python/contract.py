"""Cut the simulated cmdlets' signatures out of full contract files.

To simulate another cmdlet, add its name to provider/src/hyperv_sim/contract/simulated.txt and run this again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

CONTRACT = Path(__file__).resolve().parents[2] / "provider/src/hyperv_sim/contract"
WINDOWS = ("2016", "2019", "2022", "2025")
KEPT = ("aliases", "cdxml")
KEPT_OF_A_PARAMETER = ("type", "aliases", "values", "range")


def own_sets(cmdlet: dict[str, Any]) -> list[dict[str, Any]]:
    """The parameter sets in a file system: a provider cmdlet's other providers are not simulated."""
    for provider in ("FileSystem", None):
        sets = [parameter_set for parameter_set in cmdlet["sets"] if parameter_set.get("provider") == provider]
        if sets:
            return sets
    raise click.ClickException("a cmdlet without a parameter set for the file system")


def cut(cmdlet: dict[str, Any]) -> dict[str, Any]:
    """What binding needs. Rows with a fourth item are doubtful (the page contradicts itself) and are left out."""
    sets = [
        {
            "name": parameter_set["name"],
            **({"default": True} if parameter_set.get("default") else {}),
            "params": {name: row for name, row in parameter_set["params"].items() if len(row) == 3},
        }
        for parameter_set in own_sets(cmdlet)
    ]
    used = {name for parameter_set in sets for name in parameter_set["params"]}
    parameters = {
        name: {key: entry[key] for key in KEPT_OF_A_PARAMETER if key in entry}
        for name, entry in cmdlet["params"].items()
        if name in used
    }
    kept = {key: cmdlet[key] for key in KEPT if cmdlet.get(key)}
    return {"module": cmdlet["module"], **kept, "sets": sets, "params": parameters}


def variants(name: str, files: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """One entry per signature, with the Windows versions that have it."""
    signatures: list[dict[str, Any]] = []
    for windows in WINDOWS:
        cmdlet = files[windows]["cmdlets"].get(name) or files["powershell51"]["cmdlets"].get(name)
        if cmdlet is None:
            raise click.ClickException(f"{name} is in no contract file for Windows Server {windows}")
        signature = cut(cmdlet)
        same = next(
            (variant for variant in signatures if {**variant, "windows": None} == {"windows": None, **signature}), None
        )
        if same:
            same["windows"].append(windows)
        else:
            signatures.append({"windows": [windows], **signature})
    return signatures


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Write the contract of the simulated host from the full files in FOLDER."""
    paths = {windows: folder / f"winserver{windows}.json" for windows in WINDOWS}
    paths["powershell51"] = folder / "powershell51.json"
    files = {key: json.loads(path.read_text(encoding="utf-8")) for key, path in paths.items()}
    names = (CONTRACT / "simulated.txt").read_text(encoding="utf-8").split()
    cmdlets = {name: json.dumps(variants(name, files), separators=(",", ":")) for name in sorted(names)}
    lines = [f'"{name}": {entry}' for name, entry in cmdlets.items()]
    sources = json.dumps([files[key]["source"] for key in (*WINDOWS, "powershell51")])
    text = '{\n"source": ' + sources + ',\n"cmdlets": {\n' + ",\n".join(lines) + "\n}}\n"
    (CONTRACT / "cmdlets.json").write_text(text, encoding="utf-8")
    click.echo(f"{len(names)} cmdlets, {len(text)} characters")


if __name__ == "__main__":
    main()
