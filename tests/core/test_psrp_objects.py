"""Objects that a host sent, as they are read: the same as pypsrp reads, one property at a time."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypsrp.complex_objects import GenericComplexObject
from pypsrp.serializer import Serializer

from nestedlab.errors import Interrupted
from nestedlab.psrp.objects import read, readable

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def value_of(told: Any) -> Any:
    """A value as a case tells it, which knows no tuples and no GUIDs."""
    if isinstance(told, list):
        return tuple(map(value_of, told))
    return UUID(told) if isinstance(told, str) and _GUID.fullmatch(told) else told


def plain(value: Any) -> Any:
    """A value as pypsrp gives it, in our form."""
    if isinstance(value, list):
        return tuple(map(plain, value))
    return value.to_string or "" if isinstance(value, GenericComplexObject) else value


def properties_by_pypsrp(xml: str) -> dict[str, Any]:
    sent = Serializer().deserialize(xml)
    return {name: plain(value) for name, value in {**sent.adapted_properties, **sent.extended_properties}.items()}


@pytest.mark.cases("objects.yaml")
def test_an_object_is_read_as_what_it_is_and_nothing_else_is_an_object(case: dict[str, Any]) -> None:
    found = read(case["xml"])
    if "kind" not in case:
        assert found is None
        assert not isinstance(Serializer().deserialize(case["xml"]), GenericComplexObject)
        return
    assert found is not None
    assert found.kind == case["kind"]
    assert found.properties == {name: value_of(told) for name, told in case["properties"].items()}
    theirs, otherwise = properties_by_pypsrp(case["xml"]), case.get("otherwise", ())
    assert [name for name in theirs if theirs[name] != found[name]] == list(otherwise)
    assert list(theirs) == list(found.properties)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Microsoft.HyperV.PowerShell.VMSwitch", "VMSwitch"),
        ("Deserialized.Microsoft.HyperV.PowerShell.VMSwitch", "VMSwitch"),
        ("Selected.Microsoft.HyperV.PowerShell.VMSwitch", "VMSwitch"),
        ("Deserialized.Selected.Microsoft.HyperV.PowerShell.VMSwitch", "VMSwitch"),
        ("Microsoft.Management.Infrastructure.CimInstance#root/StandardCimv2/MSFT_NetNat", "MSFT_NetNat"),
        ("Plain", "Plain"),
    ],
)
def test_the_kind_is_the_last_part_of_the_type(name: str, kind: str) -> None:
    found = read(f'<Obj RefId="0"><TN RefId="0"><T>{name}</T><T>System.Object</T></TN><Props /></Obj>')
    assert found is not None
    assert (found.kind, dict(found.properties)) == (kind, {})


def test_an_object_of_no_type_has_no_kind() -> None:
    found = read('<Obj RefId="0"><MS><I32 N="A">1</I32></MS></Obj>')
    assert found is not None
    assert (found.kind, found["A"], found["B"]) == ("", 1, None)


def test_a_note_hides_a_property_of_its_name() -> None:
    xml = '<Obj RefId="0"><Props><S N="A">old</S><S N="B">b</S></Props><MS><S N="A">new</S></MS></Obj>'
    found = read(xml)
    assert found is not None
    assert dict(found.properties) == properties_by_pypsrp(xml) == {"A": "new", "B": "b"}


def named(text: str) -> str:
    return f'<Obj RefId="0"><Props><S N="Name">{escape(text)}</S></Props></Obj>'


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")))
def test_any_text_is_read_as_pypsrp_reads_it(text: str) -> None:
    xml = named(re.sub("_x", "_x005F_x", text))
    found = read(xml)
    assert found is not None
    assert found["Name"] == properties_by_pypsrp(xml)["Name"] == text


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ("a_x0009_b_x000D__x000A_c_x0000_d_x007F__x0085_", "a\tb\r\nc\0d\x7f\x85"),
        ("A _x005F_x000a A _x005F_xZZZZ_", "A _x000a A _xZZZZ_"),
        ("_xD83D__xDE00_ \U0001f600", "\U0001f600 \U0001f600"),
        ("  a  ", "  a  "),
        ("_x0A_ _xZZZZ", "_x0A_ _xZZZZ"),
        ("_x000a_", "\n"),
    ],
)
def test_what_powershell_writes_in_another_way_is_read_back(sent: str, text: str) -> None:
    found = read(named(sent))
    assert found is not None
    assert found["Name"] == properties_by_pypsrp(named(sent))["Name"] == text


def test_half_a_character_spoils_no_other_property() -> None:
    """A name in UTF-16 may have it. pypsrp gives up the whole answer for it."""
    found = read(readable('<Obj RefId="0"><Props><S N="Name">a_xD800_b</S><I32 N="Count">1</I32></Props></Obj>'))
    assert found is not None
    assert (found["Name"], found["Count"]) == ("a\ufffdb", 1)


def test_a_property_that_cannot_be_read_spoils_no_other() -> None:
    found = read('<Obj RefId="0"><Props><G N="Id">no guid</G><I32 N="Count">1</I32></Props></Obj>')
    assert found is not None
    assert found["Count"] == 1
    with pytest.raises(Interrupted, match="Id in a form that cannot be read"):
        found["Id"]


def test_a_list_in_itself_is_told_and_not_followed() -> None:
    found = read('<Obj RefId="0"><Props><Obj N="Us" RefId="1"><LST><Ref RefId="1" /></LST></Obj></Props></Obj>')
    assert found is not None
    with pytest.raises(Interrupted, match="Us in a form that cannot be read"):
        found["Us"]


def test_the_properties_cannot_be_changed_and_print_as_what_they_are() -> None:
    found = read('<Obj RefId="0"><Props><S N="Name">hv1</S></Props></Obj>')
    assert found is not None
    assert repr(found.properties) == "{'Name': 'hv1'}"
    assert not hasattr(found.properties, "__setitem__")
    assert len(found.properties) == 1
