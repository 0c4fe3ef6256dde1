"""The figures of scripts/bench are within what the project promises, and each of its measurements works."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import bench_cpu
import bench_figures
import bench_provider
import bench_requests
import bench_times
import pytest
from bench_code import PRESENT, SOURCES, Code, beside
from rich.console import Console

from hyperv_sim.host import SimulatedHost
from hyperv_sim.server import SimulatedServer

PROMISED = {
    "NatSwitch: create": 10,
    "NatSwitch: read": 2,
    "NestedHyperVHost: create": 10,
    "NestedHyperVHost: read": 2,
    "NestedHyperVHost with two adapters and three disks: create": 10,
    "NestedHyperVHost with two adapters and three disks: read": 2,
    "NestedHyperVHost: create, for each further data disk": 0,
    "NestedHyperVHost: read, for each further data disk": 0,
    "NestedHyperVHost: create, for each further adapter": 0,
    "NestedHyperVHost: read, for each further adapter": 0,
}
"""HTTP requests at most, once a session is open."""


def test_operations_take_no_more_requests_than_promised() -> None:
    with SimulatedServer(SimulatedHost().shells) as server:
        measured = {title: float(http) for title, (http, _) in bench_requests.operations(server)}
    assert [title for title, most in PROMISED.items() if measured[title] > most] == []


def test_the_cost_of_a_further_part_is_the_difference_shared_out() -> None:
    few, many = ("8", "4"), ("20", "7")
    measured = {f"{title}: {operation}": few for title in bench_requests.FULL for operation in ("create", "read")}
    costs = dict(bench_requests.further(measured | {"eight data disks: create": many, "six adapters: read": many}))
    assert costs["NestedHyperVHost: create, for each further data disk"] == ("2", "0.5")
    assert costs["NestedHyperVHost: read, for each further adapter"] == ("3", "0.75")
    assert costs["NestedHyperVHost: create, for each further adapter"] == ("0", "0")


def test_a_refresh_of_a_class_takes_no_more_requests_than_promised() -> None:
    assert bench_requests.refresh_of_a_class() <= 20


def test_what_times_are_set_beside_goes_up_and_comes_down() -> None:
    times = bench_times.life(bench_times.DOES_NOTHING.format(count=1))
    assert list(times) == ["up", "preview", "refresh", "destroy"]


def test_measurements_take_turns_and_the_first_of_each_is_not_counted() -> None:
    turns: list[str] = []

    def measure(name: str) -> Callable[[], bench_figures.Figures]:
        def take() -> bench_figures.Figures:
            turns.append(name)
            return {"seconds": len(turns)}

        return take

    shown = io.StringIO()
    with bench_figures.progress("waiting", 6, Console(file=shown, force_terminal=True)) as advance:
        taken = bench_figures.alternately({name: measure(name) for name in ("then", "now")}, 2, advance)
    assert turns == ["then", "now", "now", "then", "then", "now"]
    assert taken == {"then": {"seconds": [4, 5]}, "now": {"seconds": [3, 6]}}
    twice = bench_figures.together([taken, taken])
    assert twice == {"then": {"seconds": [4, 5, 4, 5]}, "now": {"seconds": [3, 6, 3, 6]}}
    assert "waiting ..." in shown.getvalue()
    assert "100%" in shown.getvalue()


def test_a_ratio_is_of_what_was_measured_together_and_shows_what_it_varies_by() -> None:
    assert bench_figures.ratio([1, 2, 6, 4, 9], [2, 2, 3, 4, 3]) == "1.00 (1.00 to 2.00)"
    assert bench_figures.ratio([1], [2]) == "0.50"


def test_a_table_has_a_column_for_each_and_one_for_each_ratio() -> None:
    taken = {"then": {"up": [2.0, 4.0]}, "now": {"up": [1.0, 2.0]}}
    shown = bench_figures.table("Seconds", "command", taken, [("now", "then")], bench_figures.WALL_SECONDS)
    assert [column.header for column in shown.columns] == ["command", "then", "now", "now : then"]
    assert [list(column.cells) for column in shown.columns] == [["up"], ["3.00"], ["1.50"], ["0.50 (0.50 to 0.50)"]]


def test_another_code_goes_before_the_packages_that_are_installed(tmp_path: Path) -> None:
    for source, package in zip(SOURCES, ("nestedlab", "pulumi_nestedlab"), strict=True):
        (tmp_path / source / package).mkdir(parents=True)
        (tmp_path / source / package / "__init__.py").touch()
    environment = {**os.environ, **Code("other", tmp_path).environment}
    program = "import nestedlab, pulumi_nestedlab; print(nestedlab.__file__, pulumi_nestedlab.__file__)"
    imported = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True)
    assert imported.stdout.decode().split() == [
        str(tmp_path / source / package / "__init__.py")
        for source, package in zip(SOURCES, ("nestedlab", "pulumi_nestedlab"), strict=True)
    ]


def test_a_process_that_would_measure_another_code_ends(tmp_path: Path) -> None:
    empty = Code("empty", tmp_path)
    with pytest.raises(RuntimeError, match="has ended"), bench_cpu.Child("bench_program", empty, {}) as child:
        child.answer()


def test_an_earlier_commit_is_in_a_folder_of_its_own_for_as_long_as_it_is_measured() -> None:
    with beside("HEAD") as (earlier, present):
        assert present is PRESENT
        assert earlier.folder != present.folder
        assert all((earlier.folder / source).is_dir() for source in SOURCES)
    assert not earlier.folder.exists()
    with beside(None) as codes:
        assert codes == [PRESENT]


def test_the_provider_and_the_host_are_measured() -> None:
    measured = {of: min(turns) for of, turns in bench_cpu.machines([PRESENT], 2, lambda: None)[PRESENT.name].items()}
    of_provider = [f"provider: {name}" for name in bench_provider.CALLS]
    assert list(measured) == [*of_provider, "host: create", "host: read", "host: delete"]
    assert measured["provider: create"] > measured["provider: check"] > 0
    assert measured["host: create"] > measured["host: read"] > 0


def test_machines_are_read_all_in_one_turn_and_the_rest_is_done_one_by_one() -> None:
    turns = [(name, list(numbers)) for name, numbers in bench_cpu.turns(2)]
    assert turns == [
        *(("check", [0]), ("check", [1]), ("create", [0]), ("create", [1])),
        *(("read", [0, 1]), ("delete", [0]), ("delete", [1])),
    ]


def test_what_comes_before_the_first_resource_is_measured() -> None:
    spent = bench_cpu.imports(PRESENT)
    assert spent["import pulumi_nestedlab: cpu"] > 0
    assert spent["first check: wall"] > 0
