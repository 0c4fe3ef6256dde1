"""The shape of a message as lines: an element a line, with its name, types and value, indented by its depth."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping

# What a method is called and what a command's syntax is, is PowerShell's own affair: that they are told is compared.
NO_VALUE = frozenset({"TargetSite", "StackTrace", "CommandInfo_Definition"})
SAME = "="
"""In place of a text that says what the text of the object around it says."""


def lines(root: ET.Element) -> list[str]:
    """The lines of a message."""
    types = {names.get("RefId", ""): [name.text or "" for name in names] for names in root.iter("TN")}
    return list(_lines(root, 0, types, ""))


def _lines(element: ET.Element, depth: int, types: Mapping[str, list[str]], said: str) -> Iterator[str]:
    if element.tag == "Obj" and element.get("N") == "TargetObject":  # a whole object, which is another matter
        yield f"{'  ' * depth}Obj TargetObject"
        return
    names = next((types[child.get("RefId", "")] for child in element if child.tag in {"TN", "TNRef"}), [])
    told = " < ".join(names) if element.tag == "Obj" else _value(element, said)
    yield f"{'  ' * depth}{' '.join(part for part in (element.tag, element.get('N', ''), told) if part)}"
    if element.tag == "Obj":
        own = element.findtext("ToString", "")
        said = _message(own) if element.get("N") in {"Exception", "InnerException"} else own or said
    for child in element:
        if child.tag not in {"TN", "TNRef"}:
            # The text of an exception is its class, what the error around it says, and where it was thrown.
            around = said if child.tag != "ToString" else ""
            yield from _lines(child, depth + 1, types, around)


def _message(text: str) -> str:
    return re.split(r"(?:_x000D_)?_x000A_   at ", text.partition(": ")[2])[0]


def _value(element: ET.Element, said: str) -> str:
    text = element.text or ""
    if element.get("N") in NO_VALUE or not text:
        return ""
    if element.tag == "ToString" and re.match(r"[\w.]+Exception: ", text):
        text = text.partition(": ")[0]
    return SAME if said and text.startswith(said.removesuffix("…")) and element.tag == "S" else repr(text)


MSCORLIB = "mscorlib, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089"
CORE_LIBRARY = "System.Private.CoreLib, Version=10.0.0.0, Culture=neutral, PublicKeyToken=7cec85d7bea7798e"
ORDER_5_1 = ("Message", "Data", "InnerException", "TargetSite", "StackTrace", "HelpLink", "Source", "HResult")
ORDER_7_6 = ("TargetSite", "Message", "Data", "InnerException", "HelpLink", "Source", "HResult", "StackTrace")
# Classes with a Message of their own; of others it stands with what every exception has.
OWN_MESSAGE = re.compile(r"\.(ParameterBinding\w*|Parse|PSArgument|ParentContainsErrorRecord)Exception$")


def as_on_7_6(root: ET.Element) -> ET.Element:
    """The message of a Windows PowerShell 5.1 as a 7.6 sends it: the differences that were recorded, undone.

    Raises AssertionError if one of them is not there.
    """
    for record in list(root.iter("Obj")):
        if record.findtext("TN/T") == "System.Management.Automation.ErrorRecord":
            _record(record)
    for names in root.iter("T"):
        assert "System.Private.CoreLib" not in (names.text or "")
        names.text = (names.text or "").replace(MSCORLIB, CORE_LIBRARY)
    return root


def _record(record: ET.Element) -> None:
    notes = record.find("MS")
    assert notes is not None
    has_ended_nothing = notes.find("*[@N='PSMessageDetails']") is not None
    assert (notes[0].get("N") == "writeErrorStream") == has_ended_nothing
    if has_ended_nothing:
        notes.remove(notes[0])
    for exception in (*record.findall("MS/*[@N='Exception']"), *record.iterfind(".//Obj[@N='InnerException']")):
        _reorder(exception)
    for source in record.iterfind(".//S[@N='Source']"):
        assert source.text != "System.Private.CoreLib"
        source.text = (source.text or "").replace("mscorlib", "System.Private.CoreLib")
    properties = record.find("MS/Obj[@N='InvocationInfo']/Props")
    if properties is not None:
        names = [child.get("N") for child in properties]
        assert "Statement" not in names
        properties.insert(names.index("Line") + 1, ET.Element("S", N="Statement"))


def _reorder(exception: ET.Element) -> None:
    """Put what every exception has in the order of 7.6; a Message that a class declares anew stays where it is."""
    properties = exception.find("Props")
    assert properties is not None
    declares_message = OWN_MESSAGE.search(exception.findtext("ToString", "").partition(":")[0]) is not None
    inherited = [child for child in properties if child.get("N") in ORDER_5_1]
    last = inherited[-7:] if declares_message else inherited
    assert [child.get("N") for child in last] == [*ORDER_5_1][-len(last) :]
    for child in last:
        properties.remove(child)
    properties.extend(sorted(last, key=lambda child: ORDER_7_6.index(child.get("N", ""))))
