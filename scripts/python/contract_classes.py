"""Cut the classes of the simulated objects, and their enumerations, out of the reflection of the Hyper-V module.

To simulate objects of another class, add its name to provider/src/hyperv_sim/contract/classes.txt and run this again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from contract import CONTRACT, lines

MODULE = "module2019.json"


def enumerations(module: dict[str, Any], types: Iterable[str]) -> dict[str, Any]:
    """The enumerations among these types: what each builds on, and its members' numbers."""
    names = sorted({name for declared in types for name in re.findall(r"[A-Za-z][\w.]+", declared)})
    return {name: module["enums"][name] for name in names if name in module["enums"]}


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Write the classes of the simulated host from the module's reflection in FOLDER."""
    module = json.loads((folder / MODULE).read_text(encoding="utf-8"))
    names = (CONTRACT / "classes.txt").read_text(encoding="utf-8").split()
    missing = [name for name in names if name not in module["classes"]]
    if missing:
        raise click.ClickException(f"the module has no class {', '.join(missing)}")
    classes = {name: module["classes"][name] for name in sorted(names)}
    found = enumerations(module, [declared for rows in classes.values() for _, declared in rows])
    text = (
        f'{{\n"source": {json.dumps(module["source"])},\n"module": {json.dumps(module["module"])},\n'
        f'"classes": {lines(classes)},\n"enumerations": {lines(found)}}}\n'
    )
    (CONTRACT / "classes.json").write_text(text, encoding="utf-8")
    click.echo(f"{len(classes)} classes, {len(found)} enumerations, {len(text)} characters")


if __name__ == "__main__":
    main()
