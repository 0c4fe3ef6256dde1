"""What CONTRIBUTING.md tells to do is all there is to do: its recipes are followed, in a copy of the checkout."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDED = ("pyproject.toml", "docs", "provider/src", "scripts", "sdk/python/src", "tests")
SOURCES = ("provider/src", "sdk/python/src", "scripts/python")
NEW = "memory_priority"
"""The attribute that the recipe adds, and that is not there yet."""

WHATEVER_THE_ATTRIBUTES = ("autonaming", "class", "course", "handout", "pages", "placement", "psrp", "seat")
"""The tests of tests/core that are of messages, or of stacks and their students."""

FROM_THE_TABLE = ("changes", "check", "dynamic", "lifecycle", "limits", "parts", "plans", "provider")
"""The tests of tests/core whose cases follow from the attributes."""


@dataclass(frozen=True)
class Step:
    """A numbered step of a recipe, with the code that it shows."""

    text: str
    code: list[str]

    def named(self, pattern: str) -> str:
        """What the step names where the pattern has its group."""
        found = re.search(pattern, self.text)
        assert found is not None, f"CONTRIBUTING.md does not say {pattern}: {self.text}"
        return found[1]


def steps_of(title: str) -> list[Step]:
    """The steps of the recipe in this section."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    steps = re.split(r"^\d+\. ", section, flags=re.MULTILINE)[1:]
    return [
        Step(step, [textwrap.dedent(code) for code in re.findall(r"```\w+\n(.*?)```", step, re.DOTALL)])
        for step in steps
    ]


@dataclass(frozen=True)
class Checkout:
    """A copy of what is needed of the checkout, whose code is what runs there."""

    root: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python there, on the copy's code instead of the checkout's, which is installed in place."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        environment["PYTHONPATH"] = os.pathsep.join(str(self.root / source) for source in SOURCES)
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, check=False)

    def test(self, *which: str) -> subprocess.CompletedProcess[str]:
        """Run tests there, in one process."""
        return self.run("-m", "pytest", "-n", "0", "-q", "-p", "no:cacheprovider", *which)

    def add_row(self, step: Step, row: str) -> None:
        """Write the row where the step says: in its file, after the attribute that it names."""
        path = self.root / step.named(r"`([\w/]+\.py)`")
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        end = _end_of_row("".join(lines), step.named(r"after `(\w+)`"))
        lines.insert(end, textwrap.indent(row, "    "))
        path.write_text("".join(lines), encoding="utf-8")

    def add_case(self, step: Step, case: str) -> None:
        """Write the case where the step says: in its file, under the kind of thing that it names."""
        path = self.root / step.named(r"`([\w/]+\.yaml)`")
        kind = step.named(r"under `(\w+)`")
        before, head, rest = path.read_text(encoding="utf-8").partition(f"\n{kind}:\n")
        assert head, f"{path} has no {kind}"
        path.write_text(before + head + textwrap.indent(case, "  ") + rest, encoding="utf-8")


def _end_of_row(source: str, name: str) -> int:
    """The last line of an attribute: that of its docstring."""
    for table in ast.walk(ast.parse(source)):
        if isinstance(table, ast.ClassDef):
            for row, docstring in zip(table.body, table.body[1:], strict=False):
                if isinstance(row, ast.AnnAssign) and ast.unparse(row.target) == name and docstring.end_lineno:
                    return docstring.end_lineno
    raise AssertionError(f"there is no attribute {name}")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A copy of the checkout."""
    for name in NEEDED:
        if (ROOT / name).is_file():
            shutil.copy(ROOT / name, tmp_path / name)
        else:
            shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return Checkout(tmp_path)


def test_an_attribute_costs_one_row_and_one_case(checkout: Checkout) -> None:
    row, case, generating = steps_of("Add an attribute")
    checkout.add_row(row, row.code[0])

    lacking = checkout.test(
        "tests/core/test_plans.py", "tests/provider", "-k", "test_every_attribute or test_each_attribute"
    )
    assert lacking.returncode == pytest.ExitCode.TESTS_FAILED, lacking.stdout
    assert f"no case updates {NEW} alone. Say in tests/cases/provider/drift.yaml, under machine, how" in lacking.stdout
    assert f"{NEW} has no case: say in tests/cases/provider/drift.yaml, under machine, how" in lacking.stdout

    checkout.add_case(case, case.code[0])
    (script,) = re.findall(r"`scripts/(\w+)`", generating.text)
    generated = checkout.run(f"scripts/python/{script}.py")
    assert generated.stdout.splitlines() == [
        "written: sdk/python/src/pulumi_nestedlab/_resources.py",
        "written: docs/reference/NestedHyperVHost.md",
        "written: docs/nestedlab.psrc",
    ], generated.stderr
    healed = checkout.test(
        "tests/core",
        *(f"--ignore-glob=*/test_{name}*" for name in WHATEVER_THE_ATTRIBUTES),
        "tests/provider/test_drift.py::test_each_attribute_has_its_drift",
        f"tests/provider/test_drift.py::test_a_drift_is_seen_under_its_name_and_healed[machine-{NEW}]",
        "tests/provider/test_truth.py::test_every_input_is_generated",
        f"tests/provider/test_truth.py::test_what_is_seen_of_an_attribute_can_be_asked_for[machine-{NEW}]",
    )
    assert healed.returncode == 0, healed.stdout


def test_an_attribute_whose_default_is_left_to_the_host_costs_no_more(checkout: Checkout) -> None:
    row, case, _ = steps_of("Add an attribute")
    optional = row.code[0].replace("Annotated[int,", "Annotated[int | None,").replace("= 50", "= None")
    assert optional.count("None") == 2
    checkout.add_row(row, optional)
    checkout.add_case(case, case.code[1])
    tested = checkout.test(*(f"tests/core/test_{name}.py" for name in FROM_THE_TABLE))
    assert tested.returncode == 0, tested.stdout


def test_what_the_recipe_for_a_cmdlet_names_is_there() -> None:
    steps = "".join(step.text for step in steps_of("Add a cmdlet"))
    paths = re.findall(r"`([\w.]+/[\w./]+)(?: [A-Z]+)?`", steps)
    assert len(paths) == 6
    assert [path for path in paths if not (ROOT / path).exists()] == []
    simulator = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "provider/src/hyperv_sim").rglob("*.py"))
    used = [f"def {name}(" for name in re.findall(r"`@?(\w+)\(", steps)] + ["\nUNKNOWN = "]
    assert len(used) == 4
    assert [name for name in used if name not in simulator] == []
