"""docs/class.md shows what is so: its example is a course file, the plan is its plan, the sizes are the examples'."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from nestedlab.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/class.md").read_text(encoding="utf-8")
EXAMPLES = ("nat-rdp", "spoofing", "containers", "domain", "cluster")
ROW = r"^\| \[([a-z-]+)\]\(\S+\) \| (\d+) GiB \| (\d+) GiB[^|]* \| (\d+) \|" + r" (\d+) \|" * 4 + "$"
"""A row of the table of sizes: the example, what it takes, and how many fit on hosts of 64, 128, 256 and 512 GiB."""


def block(language: str) -> str:
    """The first block of a language."""
    return PAGE.partition(f"```{language}\n")[2].partition("```")[0]


def test_its_example_is_planned_as_it_shows(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples/nat-rdp", tmp_path / "labs/nat-rdp")
    course = tmp_path / "course"
    course.mkdir()
    (course / "course.yaml").write_text(block("yaml"), encoding="utf-8")
    (course / "students.csv").write_text(block("csv"), encoding="utf-8")
    shown = CliRunner().invoke(main, ["class", "plan", "--course", str(course / "course.yaml")])
    assert shown.output == block("console").removeprefix("$ nestedlab class plan\n")


def declared(folder: Path) -> list[dict[str, Any]]:
    """All machines of all examples without an image, declared in one run."""
    lines = ["import runpy", *(f"runpy.run_path({str(ROOT / 'examples' / name)!r})" for name in EXAMPLES)]
    (folder / "__main__.py").write_text("\n".join(lines), encoding="utf-8")
    command = [sys.executable, "-m", "nestedlab.classroom.dry_run", str(folder), "lab", "ada"]
    environment = {**os.environ, "PULUMI_CONFIG": json.dumps({"lab:image": ""})}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    machines: list[dict[str, Any]] = json.loads(done.stdout)["machines"]
    return machines


def disk_gib(machine: dict[str, Any]) -> int:
    return sum(int(disk.get("sizeGib", 0)) for disk in (machine["os_disk"], *(machine["data_disks"] or ())))


def test_the_sizes_are_those_of_the_examples(tmp_path: Path) -> None:
    machines = declared(tmp_path)
    rows = {cells[0]: cells[1:] for cells in re.findall(ROW, PAGE, re.MULTILINE)}
    assert tuple(rows) == EXAMPLES
    for name, (memory, disk, processors, *fitting) in rows.items():
        own = [machine for machine in machines if machine["name"].startswith(name.removeprefix("nat-"))]
        gib = sum(machine["memory_mib"] or 8192 for machine in own) / 1024
        assert int(memory) == gib
        assert int(disk) == sum(map(disk_gib, own))
        assert int(processors) == sum(machine["processors"] or 4 for machine in own)
        assert [int(count) for count in fitting] == [(host - 8) // gib for host in (64, 128, 256, 512)]
