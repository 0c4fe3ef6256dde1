"""Error records and warnings as Windows PowerShell 5.1 sends them ([MS-PSRP] 2.2.3.15), as pypsrp recorded them."""

from __future__ import annotations

from psrpcore import types as ps

from hyperv_sim.records import ErrorRecord
from hyperv_sim.wire.clixml_writer import escaped


def to_wire_record(error: ErrorRecord) -> ps.ErrorRecord:
    """Give psrpcore's form of an error record, with all that a client can ask of it."""
    record = ps.ErrorRecord(
        Exception=_exception(error),
        CategoryInfo=_category(error),
        TargetObject=error.target.value if error.target else None,
        FullyQualifiedErrorId=error.fully_qualified_error_id,
        InvocationInfo=_invocation(error.activity),
    )
    record.PSObject.to_string = escaped(error.message)
    record.serialize_extended_info = True  # what RemoteStreamOptions.AddInvocationInfo asks for, pypsrp's default
    return record


def to_wire_warning(message: str) -> ps.WarningRecord:
    """Give psrpcore's form of a warning; as recorded, the message is its ToString too."""
    record = ps.WarningRecord(Message=message, InvocationInfo=None, PipelineIterationInfo=None)
    record.PSObject.to_string = escaped(message)
    return record


def defect(failure: BaseException) -> ErrorRecord:
    """Give the record that ends a pipeline when the simulator itself failed: it never blames the client."""
    return ErrorRecord(
        fully_qualified_error_id="HypervSimDefect",
        category="NotSpecified",
        message=f"This is a defect of hyperv_sim, not an answer of Windows: {type(failure).__name__}: {failure}",
        exception_types=("System.InvalidOperationException", "System.Exception", "System.Object"),
        reason="InvalidOperationException",
    )


def not_simulated(what: str) -> ErrorRecord:
    """Give the record that ends a pipeline which asks for something that Windows does and the simulator does not."""
    return ErrorRecord(
        fully_qualified_error_id="HypervSimNotSimulated",
        category="NotImplemented",
        message=f"hyperv_sim does not simulate {what}.",
        exception_types=("System.NotImplementedException", "System.Exception", "System.Object"),
        reason="NotImplementedException",
    )


def _exception(error: ErrorRecord) -> ps.NETException:
    made = ps.NETException(Message=error.message, HResult=error.hresult, Data=ps.PSDict())
    made.PSObject.type_names = list(error.exception_types)
    made.PSObject.to_string = escaped(f"{error.exception_types[0]}: {error.message}")
    return made


class _CategoryInfo(ps.ErrorCategoryInfo):
    """A CategoryInfo whose message has the colon that Windows writes and psrpcore 0.3.1 leaves out."""

    def __str__(self) -> str:
        return f"{self.Category.name}: ({self.TargetName}:{self.TargetType}) [{self.Activity}], {self.Reason}"


def _category(error: ErrorRecord) -> _CategoryInfo:
    """Give the CategoryInfo. Where the shell names no reason it is the exception's short name, as in PowerShell."""
    return _CategoryInfo(
        Category=ps.ErrorCategory[error.category],
        Activity=error.activity,
        Reason=error.reason or error.exception_types[0].rpartition(".")[2],
        TargetName=error.target_name,
        TargetType=error.target_type,
    )


class _CommandName(ps.PSString):
    """MyCommand on the wire: only its name, since depth 1 leaves ToString; the CommandInfo_ properties say the rest."""

    CommandType = ps.CommandTypes.Cmdlet
    Visibility = ps.SessionStateEntryVisibility.Public
    Definition = ""

    @property
    def Name(self) -> str:  # noqa: N802 - psrpcore reads it under PowerShell's name
        return str(self)


def _invocation(command: str) -> ps.InvocationInfo:
    """Give the InvocationInfo of a command that no script called: all positions are zero, as recorded."""
    return ps.InvocationInfo(
        MyCommand=_CommandName(command),
        BoundParameters=ps.PSDict(),
        UnboundArguments=ps.PSList(),
        ScriptLineNumber=0,
        OffsetInLine=0,
        HistoryId=1,
        ScriptName="",
        Line="",
        PositionMessage="",
        PSScriptRoot="",
        InvocationName=command,
        PipelineLength=0,
        PipelinePosition=0,
        ExpectingInput=False,
        CommandOrigin=ps.CommandOrigin.Internal,
    )
