"""Records of other streams than the output are written as they were recorded on Windows PowerShell 5.1."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from hyperv_sim.records import ErrorRecord, Invocation, NetException, Scalar, Value, Warned
from hyperv_sim.wire import error_records, pool_messages, stream_records

WARNING = (
    "<T>System.Management.Automation.WarningRecord</T><T>System.Management.Automation.InformationalRecord</T>"
    "<T>System.Object</T>"
)


def test_the_progress_of_a_first_answer() -> None:
    assert stream_records.PREPARING == (
        '<Obj RefId="0"><MS><S N="Activity">Preparing modules for first use.</S><I32 N="ActivityId">0</I32>'
        '<S N="StatusDescription"> </S><Nil N="CurrentOperation" /><I32 N="ParentActivityId">-1</I32>'
        '<I32 N="PercentComplete">-1</I32><Obj N="Type" RefId="1"><TN RefId="0">'
        "<T>System.Management.Automation.ProgressRecordType</T><T>System.Enum</T><T>System.ValueType</T>"
        "<T>System.Object</T></TN><ToString>Completed</ToString><I32>1</I32></Obj>"
        '<I32 N="SecondsRemaining">-1</I32></MS></Obj>'
    )


@pytest.mark.parametrize(("merged", "mark"), [(True, '<B N="WriteWarningStream">true</B>'), (False, "")])
def test_a_warning_without_its_command(merged: bool, mark: str) -> None:
    record = Warned("warning stream", Invocation("Write-Warning"), as_output=merged)
    assert stream_records.warning(record, with_invocation=merged) == (
        f'<Obj RefId="0"><TN RefId="0">{WARNING}</TN><ToString>warning stream</ToString><MS>{mark}'
        '<S N="InformationalRecord_Message">warning stream</S>'
        '<B N="InformationalRecord_SerializeInvocationInfo">false</B></MS></Obj>'
    )


def test_a_warning_with_its_command_has_all_that_was_recorded() -> None:
    record = Warned(
        "careful", Invocation("Write-Warning", "Write-Warning", bound={"Message": Scalar("String", "careful")})
    )
    notes = ET.XML(stream_records.warning(record, with_invocation=True)).find("MS")
    assert notes is not None
    assert [note.get("N") for note in notes] == [
        *("InformationalRecord_Message", "InformationalRecord_SerializeInvocationInfo"),
        *(
            f"InvocationInfo_{name}"
            for name in (
                *("BoundParameters", "CommandOrigin", "ExpectingInput", "InvocationName", "Line", "OffsetInLine"),
                *("HistoryId", "PipelineIterationInfo", "PipelineLength", "PipelinePosition", "PSScriptRoot"),
                *("PSCommandPath", "PositionMessage", "ScriptLineNumber", "ScriptName", "UnboundArguments"),
            )
        ),
        *("SerializeExtent", "CommandInfo_CommandType", "CommandInfo_Definition", "CommandInfo_Name"),
        *("CommandInfo_Visibility", "InformationalRecord_PipelineIterationInfo"),
    ]
    assert [note.text for note in notes if (note.get("N") or "").startswith("InvocationInfo_Pipeline")] == [
        None,
        "1",
        "1",
    ]


def test_a_stopped_pipeline_says_so_with_an_error() -> None:
    state = ET.XML(stream_records.state(3, error_records.stopped()))
    record = state.find("MS/Obj[@N='ExceptionAsErrorRecord']/MS")
    assert state.findtext("MS/I32[@N='PipelineState']") == "3"
    assert record is not None
    assert record.findtext("S[@N='FullyQualifiedErrorId']") == "PipelineStopped"
    assert record.findtext("I32[@N='ErrorCategory_Category']") == "14"


@pytest.mark.parametrize(
    ("name", "cut"),
    [
        ("The path at 'C:\\fakefile.txt' does not exist", "The path at 'C:... does not exist"),
        ("x" * 40, "x" * 40),
        ("x" * 15 + "y" * 11 + "z" * 15, "x" * 15 + "..." + "z" * 15),
    ],
)
def test_a_long_name_is_cut_in_the_message_of_the_category(name: str, cut: str) -> None:
    error = ErrorRecord("Id", "OperationStopped", NetException("m"), target_name=name, target_type="String")
    notes = ET.XML(error_records.going_on(error, with_invocation=False))
    assert notes.findtext("MS/S[@N='ErrorCategory_Message']") == f"OperationStopped: ({cut}:String) [], Exception"
    assert notes.findtext("MS/S[@N='ErrorCategory_TargetName']") == name


def test_a_pool_says_of_itself_what_was_recorded() -> None:
    assert pool_messages.capability(pool_messages.agreed("2.4")) == (
        '<Obj RefId="0"><MS><Version N="protocolversion">2.3</Version><Version N="PSVersion">2.0</Version>'
        '<Version N="SerializationVersion">1.1.0.1</Version></MS></Obj>'
    )
    versions = (Scalar("Version", "1.0"), Scalar("Version", "5.1.14393.2248"))
    table: dict[str, Value] = {"PSEdition": Scalar("String", "Desktop"), "PSCompatibleVersions": versions}
    dictionary = (
        "<T>System.Management.Automation.PSPrimitiveDictionary</T><T>System.Collections.Hashtable</T>"
        "<T>System.Object</T>"
    )
    assert pool_messages.private_data(table) == (
        f'<Obj RefId="0"><MS><Obj N="ApplicationPrivateData" RefId="1"><TN RefId="0">{dictionary}</TN><DCT><En>'
        '<S N="Key">PSVersionTable</S><Obj N="Value" RefId="2"><TNRef RefId="0" /><DCT><En><S N="Key">PSEdition</S>'
        '<S N="Value">Desktop</S></En><En><S N="Key">PSCompatibleVersions</S><Obj N="Value" RefId="3"><TN RefId="1">'
        "<T>System.Version[]</T><T>System.Array</T><T>System.Object</T></TN><LST><Version>1.0</Version>"
        "<Version>5.1.14393.2248</Version></LST></Obj></En></DCT></Obj></En></DCT></Obj></MS></Obj>"
    )
