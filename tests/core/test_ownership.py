"""Whose an object on a host is."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nestedlab.names import same_text
from nestedlab.ownership import is_made_for, made_name, marked, owner_of, unmarked

MARKER = "[nestedlab owner=lab/dev/hv1]"
OWNERS = st.text(st.characters(exclude_characters="]\r\n", exclude_categories=["Cs"]), min_size=1)


@pytest.mark.parametrize(
    ("notes", "owner", "own"),
    [
        ("", "", ""),
        ("hello", "", "hello"),
        (MARKER, "lab/dev/hv1", ""),
        (f"hello\n{MARKER}", "lab/dev/hv1", "hello"),
        (f"hello\r\n{MARKER}", "lab/dev/hv1", "hello"),
        (f"hello\r\n{MARKER}\r\n", "lab/dev/hv1", "hello"),
        (f"hello\n\n{MARKER}  ", "lab/dev/hv1", "hello\n"),
        (f"one\r\ntwo\n{MARKER}", "lab/dev/hv1", "one\r\ntwo"),
        (f"{MARKER}\nwritten below", "", f"{MARKER}\nwritten below"),
        (f"hello {MARKER}", "", f"hello {MARKER}"),
        (f"[nestedlab owner=lab/prod/x]\n{MARKER}", "lab/dev/hv1", "[nestedlab owner=lab/prod/x]"),
        ("[nestedlab owner=]", "", "[nestedlab owner=]"),
        ("[nestedlab owner=a\nb]", "", "[nestedlab owner=a\nb]"),
        ("[NESTEDLAB OWNER=a]", "", "[NESTEDLAB OWNER=a]"),
    ],
)
def test_the_marker_is_the_last_line(notes: str, owner: str, own: str) -> None:
    assert owner_of(notes) == owner
    assert unmarked(notes) == own


@given(st.text(), OWNERS)
def test_notes_and_owner_come_back_as_they_were(notes: str, owner: str) -> None:
    assume(not notes.endswith("\r"))  # half of a line's end: with the marker's own \n it makes a whole one
    assert owner_of(marked(notes, owner)) == owner
    assert unmarked(marked(notes, owner)) == notes


@given(st.text(), OWNERS)
def test_and_so_they_do_where_windows_has_written_its_own_line_ends(notes: str, owner: str) -> None:
    plain = notes.replace("\r", "")
    on_the_host = marked(plain, owner).replace("\n", "\r\n")
    assert owner_of(on_the_host) == owner
    assert same_text(unmarked(on_the_host), plain)


def test_nobody_s_notes_are_left_alone() -> None:
    assert marked("hello", "") == "hello"


@given(st.text(min_size=1), st.uuids(), st.uuids())
def test_a_name_tells_what_it_was_made_for(stem: str, one: UUID, other: UUID) -> None:
    assume(one.hex[:12] != other.hex[:12])
    assert is_made_for(made_name(stem, one), one)
    assert is_made_for(made_name(stem, one).upper(), one)
    assert not is_made_for(made_name(stem, one), other)
    assert not is_made_for(f"{made_name(stem, one)}-copy", one)
