"""The command `nestedlab`."""

from __future__ import annotations

import click

from nestedlab.adapters.graph_command import graph
from nestedlab.adapters.orphans_command import orphans
from nestedlab.classroom.command import class_group


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="nestedlab", message="%(version)s")
def main() -> None:
    """Nested Hyper-V labs with Pulumi: what Pulumi's own commands do not do."""


main.add_command(class_group)
main.add_command(graph)
main.add_command(orphans)

if __name__ == "__main__":
    main(prog_name="nestedlab")
