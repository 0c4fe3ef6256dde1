"""A process that imports what a program does, and prints what the resources add to Pulumi's own SDK, as JSON.

Usage: bench_program.py CHECKOUT.
"""

import sys
from importlib import import_module
from pathlib import Path

from bench_child import Spent, measured, must_be_of, say


def main(checkout: Path) -> None:
    """Import Pulumi's SDK, then the resources."""
    spent: Spent = {}
    with measured(spent, "import pulumi"):
        import_module("pulumi")
    with measured(spent, "import pulumi_nestedlab"):
        module = import_module("pulumi_nestedlab")
    must_be_of(module, checkout)
    say(spent)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
