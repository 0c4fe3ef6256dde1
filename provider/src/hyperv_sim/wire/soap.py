"""SOAP envelopes of WS-Management as Windows reads and writes them ([MS-WSMV], [DSP0226])."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET  # expat expands no external entities, and a document type is refused
from dataclasses import dataclass
from uuid import uuid4
from xml.sax.saxutils import escape, quoteattr

from hyperv_sim.wire import headers
from hyperv_sim.wire.wsman_faults import Fault, QuotaFault, invalid_timeout, not_soap

NAMESPACES = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "x": "http://schemas.xmlsoap.org/ws/2004/09/transfer",
    "n": "http://schemas.xmlsoap.org/ws/2004/09/enumeration",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "p": "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd",
    "rsp": "http://schemas.microsoft.com/wbem/wsman/1/windows/shell",
    "cfg": "http://schemas.microsoft.com/wbem/wsman/1/config",
    "pwsh": "http://schemas.microsoft.com/powershell",
}
_ANONYMOUS = f"{NAMESPACES['a']}/role/anonymous"
_FAULT_ACTION = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
_WSMAN_DETAIL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/"
# A class of WMI is named by its CIM namespace and its name (WS-Management's URIs for WMI, Microsoft's reference).
_CIM_NAMESPACE = "root/microsoft/windows/management"
_WMI_ERROR = f"http://schemas.microsoft.com/wbem/wsman/1/wmi/{_CIM_NAMESPACE}/MSFT_WmiError"
_WSMAN_FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
# What Windows declares on each envelope; a body that needs more declares it itself.
_DECLARED = "".join(f' xmlns:{name}="{NAMESPACES[name]}"' for name in ("s", "a", "x", "n", "w", "rsp", "p"))
_DURATION = re.compile(r"P(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9}(?:\.\d{1,9})?)S)?)?")


@dataclass(frozen=True, slots=True)
class Request:
    """What a client's envelope asks for."""

    action: str
    message_id: str
    to: str
    resource_uri: str
    timeout: float  # seconds
    max_envelope_size: int  # bytes
    selectors: dict[str, str]
    options: dict[str, str]
    operation_id: str
    body: ET.Element

    @property
    def verb(self) -> str:
        """The last word of the action: Create, Command, Receive, Send, Signal, Delete, Get, Enumerate ..."""
        return self.action.rpartition("/")[2]

    @property
    def shell_id(self) -> str:
        """The shell that is meant, in capitals: a selector, or the id that a client gives a new one."""
        shell = self.body.find("rsp:Shell", NAMESPACES)
        return self.selectors.get("ShellId", "" if shell is None else shell.get("ShellId", "")).upper()


def parse(envelope: bytes) -> Request:
    """Read an envelope. Raises Fault."""
    if b"<!DOCTYPE" in envelope:
        raise not_soap("document type declarations are not allowed")
    try:
        root = ET.fromstring(envelope)  # noqa: S314 - see the import
    except ET.ParseError as error:
        raise not_soap(str(error)) from error
    header = root.find("s:Header", NAMESPACES)
    body = root.find("s:Body", NAMESPACES)
    if header is None or body is None:
        raise not_soap("header or body is missing")
    headers.check(header)  # what follows relies on it
    return Request(
        action=_text(header, "a:Action"),
        message_id=_text(header, "a:MessageID"),
        to=_text(header, "a:To"),
        resource_uri=_text(header, "w:ResourceURI"),
        timeout=_timeout(_text(header, "w:OperationTimeout", "PT60S")),  # MaxTimeoutms of a Windows host
        max_envelope_size=int(_text(header, "w:MaxEnvelopeSize", "153600")),
        selectors=_named(header, "w:SelectorSet/w:Selector"),
        options=_named(header, "w:OptionSet/w:Option"),
        operation_id=_text(header, "p:OperationID"),
        body=body,
    )


def duration(text: str) -> float | None:
    """Read an XML duration without years and months, in seconds; None if it is none."""
    found = _DURATION.fullmatch(text)
    if not found or text in {"P", "PT"}:
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def response(request: Request, body: str) -> bytes:
    """Write the answer to a request; `body` is XML."""
    return _envelope(f"{request.action}Response", request.message_id, body, request.operation_id)


def fault(request_id: str, error: Fault, machine: str) -> bytes:
    """Write a fault as Windows does: SOAP's code and reason, and the detail with the number that clients read."""
    is_of_wmi = isinstance(error, QuotaFault)
    detail = _wmi_error(error) if is_of_wmi else _wsman_fault(error, machine)
    body = (
        f"<s:Fault><s:Code><s:Value>s:{error.side}</s:Value>"
        f"<s:Subcode><s:Value>{error.subcode}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{escape(error.reason or "")}</s:Text></s:Reason>'
        f"<s:Detail>{detail}</s:Detail></s:Fault>"
    )
    return _envelope(_FAULT_ACTION, None if is_of_wmi else request_id, body)


def _wsman_fault(error: Fault, machine: str) -> str:
    detail = f"<w:FaultDetail>{_WSMAN_DETAIL}{error.detail}</w:FaultDetail>" if error.detail else ""
    begin = f'<f:WSManFault xmlns:f="{_WSMAN_FAULT}" Code="{error.code}" Machine={quoteattr(machine)}>'
    message = escape(error.message)
    if error.provider:
        name, path = error.provider
        within = message if error.is_of_plugin else f"{begin}<f:Message>{message}</f:Message></f:WSManFault>"
        message = f"<f:ProviderFault provider={quoteattr(name)} path={quoteattr(path)}>{within}</f:ProviderFault>"
    return f"{detail}{begin}<f:Message>{message}</f:Message></f:WSManFault>"


def _wmi_error(error: Fault) -> str:
    """Write what a full quota is reported as, with its properties in the order of the recordings."""
    unsigned, short, text = "cimUnsignedInt", "cimUnsignedShort", "cimString"
    properties: tuple[tuple[str, str, object], ...] = (
        ("CIMStatusCode", unsigned, 27),
        ("CIMStatusCodeDescription", text, None),
        ("ErrorSource", text, None),
        ("ErrorSourceFormat", short, 0),
        ("ErrorType", short, 0),
        ("Message", text, escape(error.message)),
        ("MessageID", text, f"HRESULT 0x{error.code:x}"),
        ("OtherErrorSourceFormat", text, None),
        ("OtherErrorType", text, None),
        ("OwningEntity", text, None),
        ("PerceivedSeverity", short, 0),
        ("ProbableCause", short, 0),
        ("ProbableCauseDescription", text, None),
        ("error_Category", unsigned, 30),
        ("error_Code", unsigned, error.code),
        ("error_Type", text, "HRESULT"),
        ("error_WindowsErrorMessage", text, escape(error.message)),
    )
    elements = "".join(
        f'<m:{name} xsi:type="cim:{kind}" xsi:nil="true"/>'
        if value is None
        else f'<m:{name} xsi:type="cim:{kind}">{value}</m:{name}>'
        for name, kind, value in properties
    )
    return (
        f'<m:MSFT_WmiError b:IsCIM_Error="true" xmlns:m="{_WMI_ERROR}" '
        'xmlns:b="http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd" '
        'xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="m:MSFT_WmiError_Type">'
        f"{elements}</m:MSFT_WmiError>"
    )


def _envelope(action: str, relates_to: str | None, body: str, operation_id: str = "") -> bytes:
    related = "" if relates_to is None else f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo>"
    operation = (
        f'<p:OperationID s:mustUnderstand="false">{escape(operation_id)}</p:OperationID><p:SequenceId>1</p:SequenceId>'
        if operation_id
        else ""
    )
    header = (
        f"<a:Action>{action}</a:Action><a:MessageID>uuid:{str(uuid4()).upper()}</a:MessageID>{operation}"
        f"<a:To>{_ANONYMOUS}</a:To>{related}"
    )
    text = f'<s:Envelope xml:lang="en-US"{_DECLARED}><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>'
    return text.encode()


def _text(parent: ET.Element, path: str, default: str = "") -> str:
    return parent.findtext(path, default, NAMESPACES).strip()


def _named(parent: ET.Element, path: str) -> dict[str, str]:
    return {found.get("Name", ""): found.text or "" for found in parent.findall(path, NAMESPACES)}


def _timeout(text: str) -> float:
    seconds = duration(text)
    if seconds is None:
        raise invalid_timeout(text)
    return seconds
