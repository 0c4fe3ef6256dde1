"""What a client asks for is read from its message as psrpcore reads it, and what is no such message is refused."""

from __future__ import annotations

import struct
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psrpcore
import pytest
from psrpcore import types as ps

from hyperv_sim.records import Command, Parameter, Scalar
from hyperv_sim.wire import create_pipeline
from hyperv_sim.wire.clixml import from_wire
from hyperv_sim.wire.fragments import CREATE_PIPELINE, Defragmenter, MalformedMessageError
from hyperv_sim.wire.psrp import RunspacePool

if TYPE_CHECKING:
    from tests.wire.conftest import Wire

PIPELINE = UUID("7f3c2f0e-0d5a-4f57-9a35-3f0d8f5a6a11")
CIPHER = psrpcore.PSRemotingCrypto()
ARGUMENTS: list[tuple[str | None, Any]] = [
    ("Name", ["hv1", "hv\r2_x0041_"]),
    ("Table", {"a": [1, None, {"b": True}]}),
    (None, "positional"),
    ("Switch", None),
    ("Bytes", ps.PSInt64(8 << 30)),
    ("State", ps.PipelineResultTypes.Error),
    ("Again", ps.PipelineResultTypes.Error),
]


def message(*statements: Sequence[str]) -> ET.Element:
    """A client's message, whose commands have all of the arguments."""
    pipeline = psrpcore.PowerShell()
    for names in statements:
        for name in names:
            command = psrpcore.Command(name)
            command.parameters = [*ARGUMENTS]
            pipeline.commands.append(command)
        pipeline.commands[-1].end_of_statement = True
    pipeline.commands[-1].end_of_statement = False
    return ps.serialize(pipeline, CIPHER)


def without_references(message: ET.Element) -> ET.Element:
    """The message without references and names of types, so that any part of it can be taken out."""
    objects = {element.get("RefId"): element for element in message.iter("Obj")}
    for element in list(message.iter()):
        for names in [*element.findall("TN"), *element.findall("TNRef")]:
            element.remove(names)
        if element.tag == "Ref":
            element.tag, element[:] = "Obj", objects[element.get("RefId")][:]
    return message


def read(message: ET.Element) -> list[list[Command]]:
    request = create_pipeline.read(ET.tostring(message), lambda element: ps.deserialize(element, CIPHER))
    assert not request.not_simulated
    return [[sent.command() for sent in statement] for statement in request.statements]


def read_by_psrpcore(message: ET.Element) -> list[list[Command]]:
    statements: list[list[Command]] = [[]]
    whole: Any = ps.deserialize(message, CIPHER)
    for sent in psrpcore.PowerShell.FromPSObjectForRemoting(whole).commands:
        parameters = tuple(Parameter(name and str(name), from_wire(value)) for name, value in sent.parameters)
        statements[-1].append(Command(str(sent.command_text), parameters, bool(sent.is_script)))
        if sent.end_of_statement:
            statements.append([])
    return statements[:-1]


@pytest.mark.parametrize(
    "statements", [[["Get-VM"]], [["Get-VM", "Out-Null"]], [["New-VM", "Out-Null"], ["Get-VM"], ["Get-VMHost"]]]
)
def test_statements_and_arguments_are_those_that_psrpcore_reads(statements: list[list[str]]) -> None:
    sent = message(*statements)
    assert read(sent) == read_by_psrpcore(sent)
    assert [[command.name for command in statement] for statement in read(sent)] == statements


def test_an_object_that_an_argument_refers_to_is_read_in_its_place() -> None:
    sent = message(["Get-VM"])
    names, again = (_argument(sent, name) for name in ("Name", "Again"))
    number = names.get("RefId", "")
    again.clear()
    again.tag, again.attrib = "Ref", {"N": "V", "RefId": number}
    ((command,),) = read(sent)
    by_name = {parameter.name: parameter.value for parameter in command.parameters}
    assert by_name["Again"] == by_name["Name"] == (Scalar("String", "hv1"), Scalar("String", "hv\r2_x0041_"))


@pytest.mark.parametrize("tag", ["Ref", "TNRef"])
def test_a_reference_to_what_was_not_sent_before_is_refused(tag: str) -> None:
    sent = message(["Get-VM"])
    ET.SubElement(_argument(sent, "Name"), tag, {"RefId": "4711"})
    with pytest.raises(ValueError, match="4711"):
        read(sent)


def test_an_object_that_holds_itself_is_refused() -> None:
    sent = message(["Get-VM"])
    names = _argument(sent, "Name")
    ET.SubElement(names, "Ref", {"RefId": names.get("RefId", "")})
    with pytest.raises(ValueError, match="leads to nothing"):
        read(sent)


@pytest.mark.parametrize(
    "name",
    [
        *("NoInput", "ApartmentState", "RemoteStreamOptions", "AddToHistory", "HostInfo", "PowerShell", "IsNested"),
        *("_isHostNull", "_isHostUINull", "_isHostRawUINull", "_useRunspaceHost"),
        *("Cmds", "History", "RedirectShellErrorOutputPipe"),
        *("Cmd", "Args", "IsScript", "UseLocalScope", "MergeMyResult", "MergeToResult", "MergePreviousResults"),
        *("N", "V"),
    ],
)
def test_a_message_without_a_property_that_each_client_sends_is_refused(name: str) -> None:
    sent = without_references(message(["Get-VM"]))
    for notes in list(sent.iter("MS")):
        for field in notes.findall(f"*[@N='{name}']"):
            notes.remove(field)
    with pytest.raises(ValueError, match=f"has no {name}"):
        read(sent)


@pytest.mark.parametrize(
    ("name", "clixml"),
    [
        ("Cmd", "<I32 N='Cmd'>1</I32>"),
        ("Cmds", "<S N='Cmds'>Get-VM</S>"),
        ("Args", "<Nil N='Args'/>"),
        ("IsScript", "<S N='IsScript'>false</S>"),
        ("NoInput", "<B N='NoInput'>maybe</B>"),
        ("MergePreviousResults", "<S N='MergePreviousResults'>Output</S>"),
    ],
)
def test_a_property_of_another_type_is_refused(name: str, clixml: str) -> None:
    sent = without_references(message(["Get-VM"]))
    for notes in list(sent.iter("MS")):
        for at, field in enumerate(list(notes)):
            if field.get("N") == name:
                notes[at] = ET.XML(clixml)
    with pytest.raises(ValueError, match=r"is no|invalid literal"):
        read(sent)


def test_a_statement_without_a_command_is_refused() -> None:
    sent = without_references(message(["Get-VM"], ["Get-VM"]))
    (*_, last) = [commands for commands in sent.iter("LST") if commands.find("Obj/MS/S[@N='Cmd']") is not None]
    last.clear()
    with pytest.raises(ValueError, match="no command"):
        read(sent)


def _argument(message: ET.Element, name: str) -> ET.Element:
    """The value of the argument of this name."""
    (found,) = [
        value
        for notes in message.iter("MS")
        if notes.findtext("S[@N='N']") == name and (value := notes.find("*[@N='V']")) is not None
    ]
    return found


def fragment(number_of_object: int, number: int, flags: int, data: bytes) -> bytes:
    return struct.pack(">QQBI", number_of_object, number, flags, len(data)) + data


def blob(clixml: bytes) -> bytes:
    return struct.pack("<II16s16s", 2, CREATE_PIPELINE, bytes(16), PIPELINE.bytes_le) + clixml


def test_messages_whose_fragments_come_mixed_and_at_different_times_arrive_whole() -> None:
    whole, other = blob(b"\xef\xbb\xbf<Obj/>"), blob(b"<S>other</S>")
    defragmenter = Defragmenter()
    assert list(defragmenter.take(fragment(1, 0, 1, whole[:10]) + fragment(2, 0, 1, other[:50]))) == []
    (second, first) = defragmenter.take(fragment(2, 1, 2, other[50:]) + fragment(1, 1, 2, whole[10:]))
    assert (first.type, first.pipeline_id, first.clixml) == (CREATE_PIPELINE, PIPELINE, b"<Obj/>")
    assert second.clixml == b"<S>other</S>"
    assert first.fragments == fragment(1, 0, 1, whole[:10]) + fragment(1, 1, 2, whole[10:])


def test_a_pipeline_that_is_asked_for_twice_is_refused(wire: Wire) -> None:
    shell = wire.host.shells("Microsoft.PowerShell")
    assert shell is not None
    pool = RunspacePool(shell, {})
    asked = fragment(1, 0, 3, blob(ET.tostring(message(["Get-VM"]))))
    pipeline = pool.create_pipeline(PIPELINE, asked)
    with pytest.raises(MalformedMessageError, match="requested twice"):
        pool.receive(asked, PIPELINE)
    pipeline.wait(10)


@pytest.mark.parametrize(
    "data",
    [
        b"\0",
        fragment(1, 0, 3, blob(b"<Obj/>"))[:-1],
        fragment(1, 1, 3, blob(b"<Obj/>")),
        fragment(1, 0, 1, b"") + fragment(1, 2, 2, blob(b"<Obj/>")),
        fragment(1, 0, 3, b"short"),
    ],
)
def test_fragments_that_are_cut_off_or_out_of_order_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"cut off|should be"):
        list(Defragmenter().take(data))
