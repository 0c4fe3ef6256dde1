"""Error records as Windows PowerShell 5.1 sends them ([MS-PSRP] 2.2.3.15): what was recorded on it and on a 7.6."""

from __future__ import annotations

from hyperv_sim.fidelity import fact
from hyperv_sim.records import COR_E_SYSTEM, ErrorRecord, NetException, Scalar
from hyperv_sim.wire import invocations
from hyperv_sim.wire.clixml_writer import Writer, text

_RECORD = ("System.Management.Automation.ErrorRecord", "System.Object")
_STOPPED = (
    *("System.Management.Automation.PipelineStoppedException", "System.Management.Automation.RuntimeException"),
    *("System.SystemException", "System.Exception", "System.Object"),
)
_DATA = ("System.Collections.ListDictionaryInternal", "System.Object")
_LONGEST, _KEPT = 40, 15  # a longer name keeps so many characters at both ends in the category's message
_LINE_BREAK = "_x000D__x000A_"
RECORDED = "recordings of Windows in pypsrp's tests"
_CATEGORIES = {
    name: number
    for number, name in enumerate(
        """
        NotSpecified OpenError CloseError DeviceError DeadlockDetected InvalidArgument InvalidData
        InvalidOperation InvalidResult InvalidType MetadataError NotImplemented NotInstalled ObjectNotFound
        OperationStopped OperationTimeout SyntaxError ParserError PermissionDenied ResourceBusy ResourceExists
        ResourceUnavailable ReadError WriteError FromStdErr SecurityError ProtocolError ConnectionError
        AuthenticationError LimitsExceeded QuotaExceeded NotEnabled
        """.split()  # noqa: SIM905 - a list of 32 literals reads worse
    )
}
"""The numbers of System.Management.Automation.ErrorCategory."""


def ending(error: ErrorRecord, *, with_invocation: bool) -> str:
    """Give the record of an error that has ended the first statement of a batch."""
    writer = Writer()
    _add(writer, error, with_invocation=with_invocation)
    writer.raw("</MS></Obj>")
    return writer.text()


def add_ending(writer: Writer, error: ErrorRecord, name: str) -> None:
    """Write the record of an error that ends all, as part of another message."""
    _add(writer, error, name)
    writer.raw("</MS></Obj>")


def going_on(error: ErrorRecord, *, with_invocation: bool) -> str:
    """Give the record of an error that has ended nothing; the client decides whether its command comes in full."""
    writer = Writer()
    _add(writer, error, mark='<B N="writeErrorStream">true</B>', with_invocation=with_invocation)
    writer.raw('<Nil N="PSMessageDetails" /></MS></Obj>')
    return writer.text()


def defect(failure: BaseException) -> ErrorRecord:
    """Give the record that ends a pipeline when the simulator itself failed: it never blames the client."""
    message = f"This is a defect of hyperv_sim, not an answer of Windows: {type(failure).__name__}: {failure}"
    types = ("System.InvalidOperationException", "System.Exception", "System.Object")
    return ErrorRecord("HypervSimDefect", "NotSpecified", NetException(message, types))


def not_simulated(what: str) -> ErrorRecord:
    """Give the record that ends a pipeline which asks for something that Windows does and the simulator does not."""
    types = ("System.NotImplementedException", "System.Exception", "System.Object")
    exception = NetException(f"hyperv_sim does not simulate {what}.", types)
    return ErrorRecord("HypervSimNotSimulated", "NotImplemented", exception)


def not_open() -> ErrorRecord:
    """Give the record that a pipeline on a broken pool ends with: the id recorded, the words not."""
    message = "The pipeline cannot run because the runspace pool is broken."
    return ErrorRecord("RemotePSInvocationStateInfoReason", "InvalidOperation", NetException(message))


def stopped() -> ErrorRecord:
    """Give the record that a stopped pipeline ends with."""
    message = "The pipeline has been stopped."
    own = {"ErrorRecord": Scalar("String", message), "WasThrownFromThrowStatement": Scalar("Boolean", value=False)}
    exception = NetException(message, _STOPPED, own, COR_E_SYSTEM, "Void Throw()", source="mscorlib")
    return ErrorRecord("PipelineStopped", "OperationStopped", exception)


def _add(writer: Writer, error: ErrorRecord, name: str = "", *, mark: str = "", with_invocation: bool = False) -> None:
    writer.begin(name, _RECORD)
    writer.raw(f"<ToString>{text(error.message)}</ToString><MS>{mark}")
    numbers = _body(writer, error)
    if with_invocation and error.invocation and numbers:
        writer.raw('<B N="SerializeExtendedInfo">true</B>')
        invocations.add_extended(writer, error.invocation, numbers, "PipelineIterationInfo")
    else:
        writer.raw('<B N="SerializeExtendedInfo">false</B>')


def _body(writer: Writer, error: ErrorRecord) -> tuple[int, int] | None:
    """Write what all records have; give the numbers of the objects that the extended information refers to."""
    _exception(writer, error.exception, "Exception")
    writer.add(error.target, "TargetObject")
    writer.raw(f'<S N="FullyQualifiedErrorId">{text(error.fully_qualified_error_id)}</S>')
    numbers = invocations.add(writer, error.invocation)
    activity, reason = text(error.activity), text(error.reason)
    name, kind = text(error.target_name), text(error.target_type)
    message = f"{error.category}: ({_cut(error.target_name)}:{_cut(error.target_type)}) [{_cut(error.activity)}], "
    writer.raw(
        f'<I32 N="ErrorCategory_Category">{_CATEGORIES[error.category]}</I32>'
        f'<S N="ErrorCategory_Activity">{activity}</S><S N="ErrorCategory_Reason">{reason}</S>'
        f'<S N="ErrorCategory_TargetName">{name}</S><S N="ErrorCategory_TargetType">{kind}</S>'
        f'<S N="ErrorCategory_Message">{text(message + _cut(error.reason))}</S>'
    )
    return numbers


def _cut(name: str) -> str:
    """Cut a long name in the middle, as 5.1 does for the category's message."""
    return name if len(name) <= _LONGEST else f"{name[:_KEPT]}...{name[-_KEPT:]}"


def _exception(writer: Writer, exception: NetException, name: str) -> None:
    """Write an exception: its own properties, then those of all in the order of the .NET Framework."""
    message = text(exception.message)
    stack = text(f"   at {exception.site.partition(' ')[2]}") if exception.site else ""
    writer.begin(name, exception.type_names)
    shown = f"{text(exception.type_names[0])}: {message}"
    writer.raw(f"<ToString>{shown}{_LINE_BREAK + stack if stack else ''}</ToString><Props>")
    for own, value in exception.own.items():
        writer.add(value, own)
    if "Message" not in exception.own:
        writer.raw(f'<S N="Message">{message}</S>')
    writer.begin("Data", _DATA)
    writer.raw("<DCT /></Obj>")
    if exception.inner is None:
        writer.raw('<Nil N="InnerException" />')
    else:
        _exception(writer, exception.inner, "InnerException")
    if stack:
        writer.raw(f'<S N="TargetSite">{text(exception.site)}</S><S N="StackTrace">{stack}</S>')
    else:
        writer.raw('<Nil N="TargetSite" /><Nil N="StackTrace" />')
    source = f'<S N="Source">{exception.source}</S>' if stack else '<Nil N="Source" />'
    writer.raw(f'<Nil N="HelpLink" />{source}<I32 N="HResult">{exception.hresult}</I32></Props></Obj>')


fact("PSRP", "a record that ended nothing begins with writeErrorStream", RECORDED)
fact("PSRP", "a name of more than 40 characters is cut in the category's message", RECORDED)
fact("PSRP", "an exception's Message, Data, InnerException, TargetSite ... in the order of 5.1", RECORDED)
