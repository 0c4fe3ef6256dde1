"""The cache: an interrupted try leaves nothing that looks finished, and nobody makes a thing twice."""

import subprocess
import sys
from pathlib import Path

import cache
import pytest
from pulumi_cli import CHECKOUT

SLOW = """
import sys, time
sys.path.insert(0, sys.argv[1])
import cache
def make(folder):
    (folder / "made").touch()
    time.sleep(0.3)
    print("made it")
cache.get("thing", make)
"""


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NESTEDLAB_CACHE", str(tmp_path / "cache"))


def fail(folder: Path) -> None:
    (folder / "half").touch()
    raise RuntimeError("interrupted")


def names() -> set[str]:
    return {path.name for path in cache.folder().iterdir()}


def test_what_an_interrupted_try_left_is_neither_taken_nor_kept() -> None:
    with pytest.raises(RuntimeError):
        cache.get("thing", fail)
    assert "thing" not in names()
    thing = cache.get("thing", lambda folder: (folder / "whole").touch())
    assert [path.name for path in thing.iterdir()] == ["whole"]
    assert names() == {"lock", "thing"}


def test_what_is_there_is_not_made_again() -> None:
    cache.get("thing", lambda folder: (folder / "whole").touch())
    assert (cache.get("thing", fail) / "whole").exists()


def test_two_that_want_it_at_once_make_it_once() -> None:
    command = [sys.executable, "-c", SLOW, str(CHECKOUT / "scripts/python")]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    output = "".join(process.communicate()[0] for process in processes)
    assert output.count("made it") == 1
    assert [process.returncode for process in processes] == [0, 0]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"NESTEDLAB_CACHE": "{}/own", "XDG_CACHE_HOME": "{}/xdg"}, "own"),
        ({"NESTEDLAB_CACHE": "", "XDG_CACHE_HOME": "{}/xdg"}, "xdg/nestedlab"),
        ({"NESTEDLAB_CACHE": "", "XDG_CACHE_HOME": "", "HOME": "{}"}, ".cache/nestedlab"),
    ],
)
def test_the_folder_is_the_users_to_choose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(tmp_path))
    assert cache.folder() == tmp_path / expected
