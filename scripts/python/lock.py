"""The pins of requirements/dev.txt: made by uv, and marked with a hash of what they were made from."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import click
import tomli

CHECKOUT = Path(__file__).parents[2]
INPUT = Path("requirements/dev.in")
PINS = Path("requirements/dev.txt")
DISTRIBUTIONS = {"nestedlab": Path("provider"), "pulumi-nestedlab": Path("sdk/python")}


def inputs() -> str:
    """Return a hash of all that decides the pins: the lines of dev.in and each distribution's dependencies."""
    lines = (CHECKOUT / INPUT).read_text().splitlines()
    decides: list[object] = [line for line in lines if line and not line.startswith("#")]
    for folder in DISTRIBUTIONS.values():
        project = tomli.loads((CHECKOUT / folder / "pyproject.toml").read_text())["project"]
        decides.append([project.get(key) for key in ("requires-python", "dependencies", "optional-dependencies")])
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()


def pin(options: list[str]) -> None:
    """Have uv write the pins, without the address of any registry, for every platform and Python from 3.10 on."""
    left_out = [f"--no-emit-package={name}" for name in DISTRIBUTIONS]  # they are installed from the checkout
    made_by = f"--custom-compile-command=scripts/lock  (inputs: {inputs()})"
    how = ["--universal", "--python-version=3.10", "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links"]
    uv = str(Path(sys.executable).with_name("uv"))
    compile_pins = [uv, "pip", "compile", str(INPUT), "--quiet", "--output-file", str(PINS)]
    subprocess.run([*compile_pins, *how, *left_out, made_by, *options], cwd=CHECKOUT, check=True)


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; fail if the pins are not those of their inputs.")
@click.option("--upgrade", is_flag=True, help="Take the newest versions, not those that are pinned now.")
def main(*, check: bool, upgrade: bool) -> None:
    """Pin what the checkout works with."""
    if not check:
        pin(["--upgrade"] if upgrade else [])
    elif inputs() not in (CHECKOUT / PINS).read_text():
        raise click.ClickException(f"{PINS} is not made from {INPUT} and the pyproject.toml of today: run scripts/lock")


if __name__ == "__main__":
    main(prog_name="scripts/lock")
