"""The course file and its roster: what is taken, and what is refused, with the place of each failure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.core.courses import COURSE, ROSTER, course_in

from nestedlab.classroom.course_file import CourseFile, load
from nestedlab.errors import ConfigurationError


def loaded(case: dict[str, Any], folder: Path) -> CourseFile:
    text = case.get("course", COURSE)
    for old, new in case.get("replace", {}).items():
        assert old in text
        text = text.replace(old, new)
    text += case.get("add", "")
    return load(course_in(folder, text, case.get("roster", ROSTER), encoding=case.get("encoding", "utf-8")))


def says(line: str, expected: str) -> bool:
    return line.startswith(expected.removesuffix("...")) if expected.endswith("...") else line == expected


@pytest.mark.cases("course_file.yaml")
def test_a_course_file_is_taken_or_every_failure_is_reported(case: dict[str, Any], tmp_path: Path) -> None:
    if "failures" in case:
        with pytest.raises(ConfigurationError) as told:
            loaded(case, tmp_path)
        lines = str(told.value).replace(str(tmp_path), "FOLDER").splitlines()
        assert len(lines) == len(case["failures"]), lines
        assert [line for line, expected in zip(lines, case["failures"], strict=True) if not says(line, expected)] == []
        return
    file = loaded(case, tmp_path)
    assert {student.id: student.name for student in file.students} == case["students"]
    columns = {student.id: student.columns for student in file.students}
    assert {name: columns[name] for name in case.get("columns", {})} == case.get("columns", {})
    assert file.course.config == case.get("config", {})


def test_a_course_file_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"course.yaml: No such file or directory. Name the file with --course"
    ):
        load(tmp_path / "course.yaml")


def test_a_course_file_in_another_encoding_is_reported(tmp_path: Path) -> None:
    path = course_in(tmp_path)
    path.write_bytes("name: grün".encode("cp1252"))
    with pytest.raises(ConfigurationError, match=r"course.yaml is not in UTF-8 \(byte 8\)"):
        load(path)


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("Pulumi.yaml", "name: lab\nruntime: nodejs\n", "has no runtime python"),
        ("Pulumi.yaml", "runtime: {name: python}\n", "has no name"),
        ("Pulumi.yaml", "[", "cannot be read"),
    ],
)
def test_a_program_that_is_no_project_in_python_is_refused(
    file: str, content: str, reason: str, tmp_path: Path
) -> None:
    path = course_in(tmp_path)
    (tmp_path / "lab" / file).write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=reason):
        load(path)


def test_paths_are_seen_from_the_course_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "courses"
    folder.mkdir()
    course_in(folder, COURSE.replace("memoryGib: 128", "memoryGib: 128, caBundle: hv01.pem"))
    (folder / "hv01.pem").touch()
    monkeypatch.chdir(tmp_path)
    file = load(Path("courses/course.yaml"))
    assert file.course.program == folder / "lab"
    assert file.course.parents["hv01"].ca_bundle == folder / "hv01.pem"
    assert (file.folder, file.seats) == (folder, folder / "course.seats.yaml")
    assert file.work == folder / ".nestedlab/basics"
