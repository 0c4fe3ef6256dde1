"""Adds up what the tests of scripts/faults have recorded: how many faults, kills and operations there were."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree


def figures(report: Path) -> list[str]:
    """A line for each test that records figures, from a report in JUnit's format."""
    tests: Counter[str] = Counter()
    sums: dict[str, Counter[str]] = {}
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - our own file
        found = [(entry.attrib["name"], int(entry.attrib["value"])) for entry in case.iter("property")]
        name = case.attrib["name"].partition("[")[0].removeprefix("test_").replace("_", " ")
        for what, count in found:
            sums.setdefault(name, Counter())[what] += count
        tests[name] += bool(found)
    return [
        f"{name}: {tests[name]} tests, {', '.join(f'{count:,} {what}' for what, count in counted.items())}"
        for name, counted in sums.items()
    ]


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for report in sys.argv[1:] for line in figures(Path(report)))
