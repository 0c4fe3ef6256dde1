"""Objects that a host sent, read from their CLIXML ([MS-PSRP] 2.2.5). A property is read when it is looked up.

An object has dozens of properties, of which a plan reads a few. pypsrp reads them all, and turns each back into XML.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from uuid import UUID
from xml.etree import ElementTree

from nestedlab.errors import Interrupted
from nestedlab.pipeline import PSObject, Value


def read(text: str) -> PSObject | None:
    """Read an object in either of its shapes: whole (Props), or after Select-Object (MS).

    None for anything else: a plain value or a list, which may have notes too, or no XML.
    """
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - as pypsrp reads whatever comes from the host
    except ElementTree.ParseError:
        return None
    if root.tag != "Obj" or any(part.tag not in _OF_AN_OBJECT for part in root):
        return None
    return PSObject(_kind(root), _Properties(root))


def readable(text: str) -> str:
    """The text with U+FFFD in place of what .NET writes and others cannot read.

    These are the two characters that XML does not allow, and half of a character outside the plane, which neither
    Pulumi's state nor a terminal can have. Windows accepts them in a name or in notes, and one of them, even in an
    error that quotes it, would keep the whole answer from being read.
    """
    if "&#x" in text:
        text = _NOT_ALLOWED.sub("\ufffd", text)
    return _ESCAPES.sub(_with_whole_characters, text) if _HALF.search(text) else text


_NOT_ALLOWED = re.compile("&#x(?:fffe|ffff);", re.IGNORECASE)
_ESCAPES = re.compile("(?:_x[0-9A-Fa-f]{4}_)+")
_HALF = re.compile("_x[Dd][89A-Fa-f]")


def _with_whole_characters(escapes: re.Match[str]) -> str:
    """The same run of escapes, with U+FFFD in the place of halves."""
    units = b"".join(bytes.fromhex(unit) for unit in _ENCODED.findall(escapes[0]))
    whole = units.decode("utf-16-be", "replace").encode("utf-16-be")
    return "".join(f"_x{whole[at : at + 2].hex().upper()}_" for at in range(0, len(whole), 2))


_OF_AN_OBJECT = frozenset({"TN", "ToString", "Props", "MS"})


def _kind(root: ElementTree.Element) -> str:
    name = root.findtext("TN/T") or ""
    for prefix in ("Deserialized.", "Selected."):
        name = name.removeprefix(prefix)
    # Microsoft.HyperV.PowerShell.VMSwitch; or of CIM, ...Infrastructure.CimInstance#root/StandardCimv2/MSFT_NetNat
    return name.rsplit("/", 1)[-1] if "#" in name else name.rsplit(".", 1)[-1]


class _Properties(Mapping[str, Value]):
    """The properties of an object; nothing changes after it is made, so that threads may share it."""

    def __init__(self, root: ElementTree.Element) -> None:
        self._root = root
        groups = (root.find(group) for group in ("Props", "MS"))
        self._elements = {part.attrib["N"]: part for group in groups if group is not None for part in group}

    def __getitem__(self, name: str) -> Value:
        element = self._elements[name]
        try:
            return _value(element, self._root)
        except (ValueError, OverflowError, RecursionError, StopIteration) as error:
            raise Interrupted(f"the host sent {name} in a form that cannot be read. Run the command again.") from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._elements)

    def __len__(self) -> int:
        return len(self._elements)

    def __repr__(self) -> str:
        return repr(dict(self))


def _value(element: ElementTree.Element, root: ElementTree.Element) -> Value:
    if element.tag == "Ref":
        element = next(part for part in root.iter("Obj") if part.get("RefId") == element.get("RefId"))
    if element.tag != "Obj":
        return _PLAIN.get(element.tag, str)(element.text or "")
    items = next((part for part in element if part.tag in _LISTS), None)
    if items is not None:
        return tuple(_value(item, root) for item in items)
    return _text(element.findtext("ToString") or "")  # a member of an enumeration is its name


_LISTS = frozenset({"IE", "LST", "QUE", "STK"})

_ENCODED = re.compile("_x([0-9A-Fa-f]{4})_")


def _text(encoded: str) -> str:
    if "_x" not in encoded:
        return encoded
    units = _ENCODED.sub(lambda match: chr(int(match[1], 16)), encoded)
    # A character outside the plane arrives as its two halves; `readable` has left no single one.
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le")


_PLAIN: Mapping[str, Callable[[str], Value]] = {
    **dict.fromkeys(("S", "SBK", "URI", "XD"), _text),
    **dict.fromkeys(("By", "SB", "I16", "U16", "I32", "U32", "I64", "U64"), int),
    **dict.fromkeys(("Sg", "Db"), float),
    "B": lambda text: text.lower() == "true",
    "C": lambda text: chr(int(text)),
    "G": UUID,
    "Nil": lambda _: None,
}
"""How each type is read. Any other type is read as its text: dates, durations, versions, bytes in base64."""
