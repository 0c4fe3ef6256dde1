"""Cut what the tests hold the simulated host to out of the reflection of the Hyper-V module.

It is what the module says of the cmdlets and classes that are simulated, and of their enumerations.
"""

from __future__ import annotations

import json
from pathlib import Path

import click
from contract import CONTRACT, lines
from contract_classes import MODULE, enumerations

CASES = Path(__file__).resolve().parents[2] / "tests/cases/contract"
OF_A_CMDLET = ("default_set", "should_process", "params")


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Write the tests' part of the module's reflection in FOLDER."""
    module = json.loads((folder / MODULE).read_text(encoding="utf-8"))
    names = (CONTRACT / "simulated.txt").read_text(encoding="utf-8").split()
    cmdlets = {
        name: {key: module["cmdlets"][name][key] for key in OF_A_CMDLET}
        for name in sorted(names)
        if name in module["cmdlets"]
    }
    classes = {name: module["classes"][name] for name in (CONTRACT / "classes.txt").read_text(encoding="utf-8").split()}
    types = [declared for rows in classes.values() for _, declared in rows]
    types += [entry["type"] for cmdlet in cmdlets.values() for entry in cmdlet["params"].values()]
    text = (
        f'{{\n"source": {json.dumps(module["source"])},\n"module": {json.dumps(module["module"])},\n'
        f'"cmdlets": {lines(cmdlets)},\n"classes": {lines(classes)},\n'
        f'"enumerations": {lines(enumerations(module, types))}}}\n'
    )
    (CASES / MODULE).write_text(text, encoding="utf-8")
    click.echo(f"{len(cmdlets)} cmdlets, {len(classes)} classes, {len(text)} characters")


if __name__ == "__main__":
    main()
