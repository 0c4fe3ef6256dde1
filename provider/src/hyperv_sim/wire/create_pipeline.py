"""What a client asks a pipeline to do: its CreatePipeline message ([MS-PSRP] 2.2.2.10).

psrpcore can read this message too, but an object for each of its many flags took half of the simulated host's time.
psrpcore reads what the flags are not about: the values of the arguments.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET  # expat expands no external entities
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psrpcore.types import PipelineResultTypes

from hyperv_sim.records import Command, Parameter
from hyperv_sim.wire.clixml import from_wire

ReadValue = Callable[[ET.Element], Any]
"""Gives psrpcore's form of a value."""

Fields = Mapping[str, ET.Element]

# The properties that each client sends, whether or not they matter here.
_MESSAGE = ("NoInput", "ApartmentState", "RemoteStreamOptions", "AddToHistory", "HostInfo", "PowerShell", "IsNested")
_HOST = ("_isHostNull", "_isHostUINull", "_isHostRawUINull", "_useRunspaceHost")
_PIPELINE = ("Cmds", "History", "RedirectShellErrorOutputPipe")
_COMMAND = ("Cmd", "Args", "IsScript", "UseLocalScope", "MergeMyResult", "MergeToResult", "MergePreviousResults")

# Decide where records go; MergeMyResult and MergeToResult beside them are not looked at. [recorded]
_MERGES = ("MergeError", "MergeWarning", "MergeVerbose", "MergeDebug", "MergeInformation")

# A reference, and what it refers to.
_REFERENCES = {"TNRef": "TN", "Ref": "Obj"}

_OUTPUT = PipelineResultTypes.Output.value
_OUTPUT_AND_ERROR = _OUTPUT | PipelineResultTypes.Error.value


@dataclass(frozen=True, slots=True)
class SentCommand:
    """A command with its arguments, name and value, in psrpcore's form."""

    name: str
    arguments: tuple[tuple[str | None, Any], ...]
    is_script: bool
    merges_errors: bool
    merges_warnings: bool

    def command(self) -> Command:
        """Give the command as a shell takes it."""
        parameters = tuple(Parameter(name, from_wire(value)) for name, value in self.arguments)
        return Command(self.name, parameters, self.is_script, self.merges_errors, self.merges_warnings)


@dataclass(frozen=True, slots=True)
class PipelineRequest:
    """What a pipeline is to do. `not_simulated` names what of it the simulated host refuses, if anything.

    `has_input`: the client pipes objects to it, and says when it is done. `invocations` are the streams whose records
    the client wants with their commands: RemoteStreamOptions.
    """

    statements: tuple[tuple[SentCommand, ...], ...] = ()
    not_simulated: str = ""
    has_input: bool = False
    invocations: int = 0


def read(clixml: bytes, read_value: ReadValue) -> PipelineRequest:
    """Read a CreatePipeline message; `read_value` reads an argument. Raises ValueError for what is no such message."""
    root = ET.fromstring(clixml)  # noqa: S314 - as in soap.py, nothing outside of it is read
    _resolve_references(root)
    message = _fields(root, _MESSAGE)
    _fields(message["HostInfo"], _HOST)
    statements = [[_fields(command, _COMMAND) for command in _items(commands)] for commands in _batch(message)]
    if not all(statements):
        raise ValueError("a statement has no command")
    return PipelineRequest(
        tuple(tuple(_command(fields, read_value) for fields in statement) for statement in statements),
        _not_simulated(message, statements),
        has_input=not _truth(message["NoInput"]),
        invocations=_member(message, "RemoteStreamOptions"),
    )


def _batch(message: Fields) -> list[ET.Element]:
    """Give the list of commands of each statement; a single one stands by itself."""
    pipeline = _fields(message["PowerShell"], _PIPELINE)
    batch = pipeline.get("ExtraCmds")
    if batch is None or batch.tag == "Nil":
        return [pipeline["Cmds"]]
    return [_fields(statement, ("Cmds",))["Cmds"] for statement in _items(batch)]


def _not_simulated(message: Fields, statements: Sequence[Sequence[Fields]]) -> str:
    if len(statements) > 1 and not _truth(message["NoInput"]):
        return "input of a batch"
    for command in (command for statement in statements for command in statement):
        if any(_member(command, name) not in {0, _OUTPUT} for name in _MERGES):
            return "records that are merged into anything but the output"
        if _member(command, "MergePreviousResults") == _OUTPUT_AND_ERROR:
            return "the output and errors of earlier commands as a command's input"
    return ""


def _command(fields: Fields, read_value: ReadValue) -> SentCommand:
    arguments = [_fields(argument, ("N", "V")) for argument in _items(fields["Args"])]
    return SentCommand(
        _text(fields["Cmd"], read_value),
        tuple((_name(argument["N"], read_value), _value(argument["V"], read_value)) for argument in arguments),
        is_script=_truth(fields["IsScript"]),
        merges_errors=_member(fields, "MergeError") == _OUTPUT,
        merges_warnings=_member(fields, "MergeWarning") == _OUTPUT,
    )


def _resolve_references(root: ET.Element) -> None:
    """Put what a reference stands for in its place, so that a value can be read by itself."""
    originals: dict[tuple[str, str], ET.Element] = {}
    for element in root.iter():
        number = element.get("RefId")
        if number is None:
            continue
        if element.tag not in _REFERENCES:
            originals[element.tag, number] = element
            continue
        original = originals.get((_REFERENCES[element.tag], number))
        if original is None or _holds(original, element):
            raise ValueError(f"a reference to {number} leads to nothing before it")
        element.tag = original.tag
        element[:] = original[:]  # the two have their contents in common


def _holds(original: ET.Element, element: ET.Element) -> bool:
    """Whether an object holds the element somewhere; names of types hold nothing that could."""
    return original.tag == "Obj" and any(inner is element for inner in original.iter())


def _fields(element: ET.Element, names: Iterable[str]) -> Fields:
    """Give an object's note properties by name. Raises ValueError if one of these is missing."""
    notes = element.find("MS")
    fields = {} if notes is None else {field.get("N", ""): field for field in notes}
    missing = [name for name in names if name not in fields]
    if missing:
        raise ValueError(f"an object has no {', '.join(missing)}")
    return fields


def _items(element: ET.Element) -> ET.Element:
    """Give the items of a list. Raises ValueError if it is none."""
    items = element.find("LST")
    if items is None:
        raise ValueError(f"{element.get('N')} is no list")
    return items


def _value(element: ET.Element, read_value: ReadValue) -> Any:
    return _text(element, read_value) if element.tag == "S" else read_value(element)


def _name(element: ET.Element, read_value: ReadValue) -> str | None:
    return None if element.tag == "Nil" else _text(element, read_value)


def _text(element: ET.Element, read_value: ReadValue) -> str:
    if element.tag != "S":
        raise ValueError(f"{element.get('N')} is no text")
    text = element.text or ""
    return str(read_value(element)) if "_" in text else text  # only an escape such as _x000A_ has to be read


def _truth(element: ET.Element) -> bool:
    if element.tag != "B" or element.text not in ("true", "false"):
        raise ValueError(f"{element.get('N')} is no truth value")
    return element.text == "true"


def _member(fields: Fields, name: str) -> int:
    """Give the number of an enumeration's member, such as the stream that records go to; 0 if it is not there."""
    return int(fields[name].findtext("I32", "")) if name in fields else 0
