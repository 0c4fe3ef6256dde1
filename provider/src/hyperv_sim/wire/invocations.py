"""The InvocationInfo of a record: which command it comes from ([MS-PSRP] 2.2.3.15 and 2.2.3.16), as recorded."""

from __future__ import annotations

from hyperv_sim.records import Invocation
from hyperv_sim.wire.clixml_writer import Writer, text

_MSCORLIB = "mscorlib, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089"
_INFO = ("System.Management.Automation.InvocationInfo", "System.Object")
_DICTIONARY = (
    f"System.Collections.Generic.Dictionary`2[[System.String, {_MSCORLIB}],[System.Object, {_MSCORLIB}]]",
    "System.Object",
)
_BOUND = ("System.Management.Automation.PSBoundParametersDictionary", *_DICTIONARY)
_LIST = (f"System.Collections.Generic.List`1[[System.Object, {_MSCORLIB}]]", "System.Object")
_READ_ONLY = (f"System.Collections.ObjectModel.ReadOnlyCollection`1[[System.Int32, {_MSCORLIB}]]", "System.Object")
_INTEGERS = ("System.Int32[]", "System.Array", "System.Object")
_ORIGIN = "System.Management.Automation.CommandOrigin"
_COMMAND_TYPE = "System.Management.Automation.CommandTypes"
_VISIBILITY = "System.Management.Automation.SessionStateEntryVisibility"


def add(writer: Writer, invocation: Invocation | None) -> tuple[int, int] | None:
    """Write a record's InvocationInfo; give the numbers of its parameters' and its arguments' objects.

    No script called the command, so that all positions are zero.
    """
    if invocation is None:
        writer.raw('<Nil N="InvocationInfo" />')
        return None
    writer.begin("InvocationInfo", _INFO)
    writer.raw(f'<ToString>{_INFO[0]}</ToString><Props><S N="MyCommand">{text(invocation.command)}</S>')
    bound = writer.begin("BoundParameters", _DICTIONARY)
    writer.raw("<DCT /></Obj>")
    unbound = writer.begin("UnboundArguments", _LIST)
    writer.raw(
        '<LST /></Obj><I32 N="ScriptLineNumber">0</I32><I32 N="OffsetInLine">0</I32><I64 N="HistoryId">1</I64>'
        '<S N="ScriptName"></S><S N="Line"></S><S N="PositionMessage"></S><S N="PSScriptRoot"></S>'
        f'<Nil N="PSCommandPath" /><S N="InvocationName">{text(invocation.name)}</S>'
        '<I32 N="PipelineLength">0</I32><I32 N="PipelinePosition">0</I32><B N="ExpectingInput">false</B>'
        '<S N="CommandOrigin">Internal</S><Nil N="DisplayScriptPosition" /></Props></Obj>'
    )
    return bound, unbound


def add_extended(writer: Writer, invocation: Invocation, numbers: tuple[int, int], iteration: str) -> None:
    """Write what a client gets that asks for the invocation of errors; `iteration` names the last property."""
    bound, unbound = numbers
    writer.raw(f'<Ref N="InvocationInfo_BoundParameters" RefId="{bound}" />')
    writer.member("InvocationInfo_CommandOrigin", _ORIGIN, "Internal", 1)
    _name(writer, invocation, expects_input=False)
    _integers(writer, "InvocationInfo_PipelineIterationInfo", _INTEGERS, ())
    _positions(writer, 0, 0)
    writer.raw(f'<Ref N="InvocationInfo_UnboundArguments" RefId="{unbound}" />')
    _command(writer, invocation)
    _integers(writer, iteration, _READ_ONLY, invocation.iteration)


def add_own(writer: Writer, invocation: Invocation, iteration: str) -> None:
    """Write the invocation of a record that is not an error: the command as it runs, with its arguments."""
    writer.begin("InvocationInfo_BoundParameters", _BOUND)
    writer.dictionary(invocation.bound)
    writer.member("InvocationInfo_CommandOrigin", _ORIGIN, "Runspace", 0)
    _name(writer, invocation, expects_input=invocation.position > 1)
    _integers(writer, "InvocationInfo_PipelineIterationInfo", _INTEGERS, invocation.iteration)
    _positions(writer, len(invocation.iteration) - 1, invocation.position)
    writer.begin("InvocationInfo_UnboundArguments", _LIST)
    writer.raw("<LST /></Obj>")
    _command(writer, invocation)
    _integers(writer, iteration, _READ_ONLY, invocation.iteration)


def _name(writer: Writer, invocation: Invocation, *, expects_input: bool) -> None:
    writer.raw(
        f'<B N="InvocationInfo_ExpectingInput">{"true" if expects_input else "false"}</B>'
        f'<S N="InvocationInfo_InvocationName">{text(invocation.name)}</S><S N="InvocationInfo_Line"></S>'
        '<I32 N="InvocationInfo_OffsetInLine">0</I32><I64 N="InvocationInfo_HistoryId">1</I64>'
    )


def _positions(writer: Writer, length: int, position: int) -> None:
    writer.raw(
        f'<I32 N="InvocationInfo_PipelineLength">{length}</I32>'
        f'<I32 N="InvocationInfo_PipelinePosition">{position}</I32>'
        '<S N="InvocationInfo_PSScriptRoot"></S><Nil N="InvocationInfo_PSCommandPath" />'
        '<S N="InvocationInfo_PositionMessage"></S><I32 N="InvocationInfo_ScriptLineNumber">0</I32>'
        '<S N="InvocationInfo_ScriptName"></S>'
    )


def _command(writer: Writer, invocation: Invocation) -> None:
    writer.raw('<B N="SerializeExtent">false</B>')
    kind = ("Function", 2) if invocation.is_function else ("Cmdlet", 8)
    writer.member("CommandInfo_CommandType", _COMMAND_TYPE, *kind)
    writer.raw(f'<S N="CommandInfo_Definition"></S><S N="CommandInfo_Name">{text(invocation.command)}</S>')
    writer.member("CommandInfo_Visibility", _VISIBILITY, "Public", 0)


def _integers(writer: Writer, name: str, type_names: tuple[str, ...], numbers: tuple[int, ...]) -> None:
    writer.begin(name, type_names)
    items = "".join(f"<I32>{number}</I32>" for number in numbers)
    writer.raw(f"<LST>{items}</LST></Obj>" if items else "<LST /></Obj>")
