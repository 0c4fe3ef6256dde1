"""Behaviour as data: a test marked `cases("errors.yaml")` runs once for each case of the files of that pattern.

A file is a mapping of what holds to how it shows. The test gets the case as `case`, and as `kind` the resource that
the path names, where it names one.
"""

from __future__ import annotations

import pytest
from tests.case_files import CASES, cases_in

from nestedlab.machine.table import NestedHyperVHost
from nestedlab.nat_switch.table import NatSwitch

KINDS = {"nested_hyperv_host": NestedHyperVHost, "nat_switch": NatSwitch}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "cases(pattern): run once for each case of these files in tests/cases/core")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marker = metafunc.definition.get_closest_marker("cases")
    if marker is None:
        return
    paths = sorted((CASES / "core").glob(marker.args[0]))
    assert paths, f"there is no {marker.args[0]} in {CASES / 'core'}"
    cases = [
        pytest.param(case, KINDS.get(path.stem, KINDS.get(path.parent.name)), id=f"{path.stem}: {name}")
        for path in paths
        for name, case in cases_in(path).items()
    ]
    if "kind" in metafunc.fixturenames:
        metafunc.parametrize(("case", "kind"), cases)
    else:
        metafunc.parametrize("case", [pytest.param(case.values[0], id=case.id) for case in cases])
