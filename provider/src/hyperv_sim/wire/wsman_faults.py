"""The faults of WS-Management as Windows sends them.

Each says where its number and words are known from: *recorded* is a recording of Windows in pypsrp's tests, *seen* is
an error report of a user, *inferred* is a guess from [MS-WSMV], [DSP0226] or PowerShell's sources.
"""

from __future__ import annotations

from dataclasses import dataclass

_REFUSED = "The WS-Management service cannot process the request. "
_SELECTORS = (
    "The WS-Management service cannot process the request because the request contained invalid selectors for the "
    "resource. "
)


@dataclass(eq=False)
class Fault(Exception):  # noqa: N818 - WS-Management's own name
    """A fault. `side` is Sender or Receiver; `provider` is the (name, path) of what raised it, if not WS-Management.

    A provider's fault has a number of its own; a plug-in's (`is_of_plugin`) is only text.
    """

    code: int
    side: str
    subcode: str
    message: str
    reason: str | None = None
    detail: str = ""
    provider: tuple[str, str] | None = None
    is_of_plugin: bool = False

    def __post_init__(self) -> None:
        super().__init__(self.code, self.message)
        self.reason = self.message if self.reason is None else self.reason

    def __str__(self) -> str:
        return f"{self.code} {self.message}"


class QuotaFault(Fault):
    """A quota is full: a fault that Windows (2012 R2 and later) writes as an error of WMI, without RelatesTo.

    Recorded: WinRb/WinRM's and diyan/pywinrm's tests; jborean93/pypsrp#148 and ansible/ansible#83656 show its subcodes.
    """


def timed_out() -> Fault:
    """Nothing came within OperationTimeout: recorded."""
    message = "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.  "
    return Fault(2150858793, "Receiver", "w:TimedOut", message)


def unknown_shell(shell_id: str) -> Fault:
    """No such shell: the words seen (WinRb/WinRM#253, #273), the rest recorded for Get."""
    message = (
        f"The request for the Windows Remote Shell with ShellId {shell_id} failed because the shell was not found on "
        "the server. Possible causes are: the specified ShellId is incorrect or the shell no longer exists on the "
        "server. Provide the correct ShellId or create a new shell and retry the operation. "
    )
    return Fault(2150858843, "Sender", "w:InvalidSelectors", message, _SELECTORS, "UnexpectedSelectors")


def unknown_shell_to_get() -> Fault:
    """No such shell, asked for with Get: recorded."""
    return Fault(
        2150858843,
        "Sender",
        "w:InvalidSelectors",
        _SELECTORS,
        detail="UnexpectedSelectors",
        provider=("Shell provider", r"%systemroot%\system32\WsmSvc.dll"),
    )


def unknown_command() -> Fault:
    """No such command, or one that has ended: recorded."""
    message = (
        "The Windows Remote Shell received a request to perform an operation on a command identifier that does not "
        "exist. Either the command has completed execution or the client specified an invalid command identifier. "
    )
    return Fault(2150858843, "Sender", "w:InvalidSelectors", message, _SELECTORS, "UnexpectedSelectors")


def unknown_resource(uri: str) -> Fault:
    """No such endpoint: number and words seen with pypsrp (diyan/pywinrm#273, jborean93/pypsrp#192), codes inferred."""
    message = (
        f"{_REFUSED}The resource URI ({uri}) was not found in the WS-Management catalog. The catalog contains the "
        "metadata that describes resources, or logical endpoints. "
    )
    return Fault(2150858811, "Sender", "a:DestinationUnreachable", message, detail="InvalidResourceURI")


def too_many_shells(limit: int) -> Fault:
    """MaxShellsPerUser is reached: recorded (WinRb/WinRM's tests), the words seen (hashicorp/vagrant#7489)."""
    message = (
        f"{_REFUSED}This user is allowed a maximum number of {limit} concurrent shells, which has been exceeded. "
        "Close existing shells or raise the quota for this user. "
    )
    reason = (
        f"{_REFUSED}The maximum number of concurrent shells for this user has been exceeded. Close existing shells or "
        "raise the quota for this user. "
    )
    return QuotaFault(2150859173, "Sender", "w:QuotaLimit", message, reason)


def too_many_operations(limit: int) -> Fault:
    """MaxConcurrentOperationsPerUser is reached: recorded (WinRb/WinRM's tests)."""
    message = (
        f"{_REFUSED}This user is allowed a maximum number of {limit} concurrent operations, which has been exceeded. "
        "Close existing operations for this user, or raise the quota for this user. "
    )
    return QuotaFault(2150859174, "Receiver", "w:InternalError", message)


def too_many_commands() -> Fault:
    """MaxConcurrentCommandsPerShell is reached: words and subcode seen (jborean93/pypsrp#148), the number inferred."""
    message = (
        f"{_REFUSED}The maximum number of concurrent commands per shell has been exceeded. Retry the request later or "
        "raise the Maximum Commands per Shell quota. "
    )
    return QuotaFault(2150859230, "Receiver", "w:InternalError", message)


def access_denied() -> Fault:
    """The user may not use the endpoint: ERROR_ACCESS_DENIED; number and words seen often, codes from [DSP0226]."""
    return Fault(5, "Sender", "w:AccessDenied", "Access is denied. ")


def invalid_timeout(text: str) -> Fault:
    """OperationTimeout is no duration: recorded."""
    message = f"{_REFUSED}The XML contains an invalid timeout field in the SOAP header: {text}. "
    reason = f"{_REFUSED}The request contains one or more invalid SOAP headers. "
    return Fault(2150858767, "Sender", "a:InvalidMessageInformationHeader", message, reason)


def not_soap(why: str) -> Fault:
    """The envelope is not SOAP: inferred."""
    return Fault(2150858770, "Sender", "w:SchemaValidationError", f"{_REFUSED}The request is not valid SOAP: {why}. ")


def schema_violation(element: str) -> Fault:
    """The schema does not allow the request: number and codes seen (diyan/pywinrm#377), the words inferred."""
    message = (
        f"{_REFUSED}The request does not comply with the schema of WS-Management: the element {element} is missing, "
        "or has a value that it may not have. "
    )
    return Fault(2150858817, "Sender", "w:SchemaValidationError", message, detail=element)


def no_such_element(element: str) -> Fault:
    """The plug-in for PowerShell misses an element: recorded for creationXml (a fork of pywinrm)."""
    return Fault(
        2152992672,
        "Receiver",
        "w:InternalError",
        f"Element '{element}' was not found. Line 1, position 2.",
        reason="",
        provider=("microsoft.powershell", r"C:\Windows\system32\pwrshplugin.dll"),
        is_of_plugin=True,
    )


def unsupported_action(action: str) -> Fault:
    """The resource does not have this action: codes from [DSP0226], the number inferred."""
    message = f"{_REFUSED}The action {action} is not supported by the service. "
    return Fault(2150858753, "Sender", "a:ActionNotSupported", message)


def malformed_message(why: str) -> Fault:
    """The shell's plug-in could not make sense of the client's data: recorded for another plug-in."""
    message = f"The parameter is incorrect. {why}"
    return Fault(87, "Sender", "w:InvalidParameter", message, "The parameter is incorrect. ", "InvalidValue")


def shell_disconnected(shell_id: str) -> Fault:
    """The shell is disconnected, so that only Reconnect, Connect and Delete make sense: inferred."""
    message = f"The Windows Remote Shell with ShellId {shell_id} is disconnected. "
    return Fault(2150859206, "Sender", "w:InvalidParameter", message)


def no_message_id() -> Fault:
    """MessageID is missing or empty: the subcode from [MS-WSMV] 3.1.4.1.5, number and reason from wsmerror.h."""
    message = f"{_REFUSED}The request contains one or more invalid SOAP headers. "
    return Fault(2150858767, "Sender", "a:InvalidMessageInformationHeader", message)


def not_understood(header: str) -> Fault:
    """A header with mustUnderstand that nobody here knows: number and words from wsmerror.h, the rest inferred."""
    message = (
        "The WS-Management service cannot process a SOAP header in the request that is marked as mustUnderstand by the "
        "client. This could be caused by the use of a version of the protocol which is not supported, or may be an "
        f"incompatibility between the client and server implementations. [{header}]"
    )
    return Fault(2150858768, "MustUnderstand", "w:UnsupportedFeature", message)


def envelope_too_small(size: str) -> Fault:
    """MaxEnvelopeSize is below 8192: the subcode from [MS-WSMV] 3.1.4.1.7, number and words from wsmerror.h."""
    message = f"{_REFUSED[:-2]} because the envelope size in the request is too small. [{size}]"
    return Fault(2150858878, "Sender", "w:EncodingLimit", message, detail="MinimumEnvelopeLimit")


def defect(failure: Exception) -> Fault:
    """The simulator itself failed: nothing that Windows says."""
    what = f"This is a defect of hyperv_sim, not an answer of Windows: {type(failure).__name__}: {failure}"
    return Fault(1359, "Receiver", "w:InternalError", what)  # ERROR_INTERNAL_ERROR


def of(code: int) -> Fault:
    """Give a fault of that number, with Windows' words if they are known here."""
    known = (
        timed_out(),
        unknown_shell("00000000-0000-0000-0000-000000000000"),
        unknown_resource("http://schemas.microsoft.com/powershell/Microsoft.PowerShell"),
        too_many_shells(30),
        too_many_operations(1500),
        too_many_commands(),
        access_denied(),
    )
    unknown = Fault(code, "Receiver", "w:InternalError", f"{_REFUSED}Error {code}. ")
    return next((fault for fault in known if fault.code == code), unknown)
