"""Warnings, progress and a pipeline's state as Windows PowerShell 5.1 sends them ([MS-PSRP] 2.2.2.21 to 2.2.2.25)."""

from __future__ import annotations

from hyperv_sim.fidelity import fact
from hyperv_sim.records import ErrorRecord, Warned
from hyperv_sim.wire import error_records, invocations
from hyperv_sim.wire.clixml_writer import Writer, text

_WARNING = (
    "System.Management.Automation.WarningRecord",
    "System.Management.Automation.InformationalRecord",
    "System.Object",
)
_PROGRESS_TYPE = "System.Management.Automation.ProgressRecordType"


def state(number: int, error: ErrorRecord | None = None, *, of: str = "Pipeline") -> str:
    """Give a pipeline's state, with the error that it has ended with; `of` may be a Runspace, which is a pool."""
    writer = Writer()
    writer.begin()
    writer.raw(f'<MS><I32 N="{of}State">{number}</I32>')
    if error is not None:
        error_records.add_ending(writer, error, "ExceptionAsErrorRecord")
    writer.raw("</MS></Obj>")
    return writer.text()


def warning(record: Warned, *, with_invocation: bool) -> str:
    """Give a warning; the client decides whether its command comes with it."""
    writer = Writer()
    writer.begin("", _WARNING)
    message = text(record.message)
    mark = '<B N="WriteWarningStream">true</B>' if record.as_output else ""
    told = with_invocation and not record.as_output
    writer.raw(
        f'<ToString>{message}</ToString><MS>{mark}<S N="InformationalRecord_Message">{message}</S>'
        f'<B N="InformationalRecord_SerializeInvocationInfo">{"true" if told else "false"}</B>'
    )
    if told:
        invocations.add_own(writer, record.invocation, "InformationalRecord_PipelineIterationInfo")
    writer.raw("</MS></Obj>")
    return writer.text()


def _completed(activity: str) -> str:
    """Give the progress record of an activity that is over."""
    writer = Writer()
    writer.begin()
    writer.raw(
        f'<MS><S N="Activity">{text(activity)}</S><I32 N="ActivityId">0</I32>'
        '<S N="StatusDescription"> </S><Nil N="CurrentOperation" /><I32 N="ParentActivityId">-1</I32>'
        '<I32 N="PercentComplete">-1</I32>'
    )
    writer.member("Type", _PROGRESS_TYPE, "Completed", 1)
    writer.raw('<I32 N="SecondsRemaining">-1</I32></MS></Obj>')
    return writer.text()


PREPARING = _completed("Preparing modules for first use.")
"""What Windows PowerShell 5.1 says in a session before its first answer: it has looked through its modules."""

fact("PSRP", "warnings among the output (MergeWarning) begin with WriteWarningStream", error_records.RECORDED)
