"""The command `nestedlab graph`: a picture of a stack's lab."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from nestedlab.adapters.stack import PulumiStack, project_folder
from nestedlab.adapters.stack_topology import topology_of
from nestedlab.errors import NestedlabError
from nestedlab.topology.as_json import as_json
from nestedlab.topology.mermaid import mermaid
from nestedlab.topology.model import Topology
from nestedlab.topology.svg import svg

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, writable=True, path_type=Path)

_FORMATS: Mapping[str, Callable[[Topology], str]] = {
    "svg": svg,
    "mermaid": mermaid,
    "json": lambda topology: json.dumps(as_json(topology), indent=2, ensure_ascii=False) + "\n",
}
_ENDINGS = {".svg": "svg", ".mmd": "mermaid", ".mermaid": "mermaid", ".json": "json"}


@click.command()
@click.option("--stack", "-s", default="", metavar="NAME", help="The stack. By default the one that is selected.")
@click.option("--cwd", "-C", default=".", type=_FOLDER, help="The project's folder. By default the current one.")
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(list(_FORMATS)),
    help="What to write. By default what the name of the --output file ends with (.svg, .mmd, .json), else SVG.",
)
@click.option("--output", "-o", type=_FILE, help="The file to write. By default stdout.")
def graph(*, stack: str, cwd: Path, form: str | None, output: Path | None) -> None:
    """Draw what a stack's lab looks like.

    The picture shows hosts, switches with their prefixes and NAT networks, machines with their adapters, and forwarded
    ports, as the stack's state has them: no host is asked, so run `pulumi refresh` before if you want to see what has
    drifted.

    Exit codes: 0 if it was drawn, 1 after an error, 2 for a wrong option.
    """
    ending = _ENDINGS.get(output.suffix.lower()) if output is not None else None
    try:
        pulumi = PulumiStack(project_folder(cwd), stack)
        drawn = _FORMATS[form or ending or "svg"](topology_of(*pulumi.names(), pulumi.deployment()))
        if output is None:
            click.echo(drawn, nl=False)
        else:
            output.write_text(drawn, encoding="utf-8")
    except (NestedlabError, OSError) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
