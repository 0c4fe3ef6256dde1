"""The pins are those of their inputs: whoever changes a dependency is told to pin it."""

import shutil
from pathlib import Path

import lock
import pytest
from click.testing import CliRunner, Result


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("requirements/dev.in", "requirements/dev.txt", "provider/pyproject.toml", "sdk/python/pyproject.toml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(lock.CHECKOUT / name, tmp_path / name)
    monkeypatch.setattr(lock, "CHECKOUT", tmp_path)
    return tmp_path


def checked() -> Result:
    return CliRunner().invoke(lock.main, ["--check"])


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("requirements/dev.in", "pytest\n", "pytest>=9\n"),
        ("provider/pyproject.toml", "dependencies = [", 'dependencies = ["attrs",'),
        ("provider/pyproject.toml", "sim = [", 'sim = ["attrs",'),
        ("sdk/python/pyproject.toml", 'requires-python = ">=3.10"', 'requires-python = ">=3.11"'),
    ],
)
def test_pins_of_other_inputs_are_refused(checkout: Path, name: str, old: str, new: str) -> None:
    assert checked().exit_code == 0
    replace(checkout / name, old, new)
    assert checked().exit_code == 1
    assert "run scripts/lock" in checked().output


def test_what_decides_no_pin_may_change(checkout: Path) -> None:
    replace(checkout / "requirements/dev.in", "# tests\n", "# tests, and what they read\n\n")
    replace(checkout / "provider/pyproject.toml", 'version = "', 'version = "1')
    assert checked().exit_code == 0
