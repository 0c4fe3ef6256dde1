"""SOAP envelopes of WS-Management as Windows reads and writes them ([MS-WSMV], [DSP0226])."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET  # expat expands no external entities, and a document type is refused
from dataclasses import dataclass
from uuid import uuid4
from xml.sax.saxutils import escape, quoteattr

from hyperv_sim.wire import headers
from hyperv_sim.wire.wsman_faults import Fault, invalid_timeout, not_soap

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
_WSMAN_FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
# What Windows declares on each envelope; a body that needs more declares it itself.
_DECLARED = "".join(f' xmlns:{name}="{NAMESPACES[name]}"' for name in ("s", "a", "x", "n", "w", "rsp", "p"))
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


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
    body: ET.Element

    @property
    def verb(self) -> str:
        """The last word of the action: Create, Command, Receive, Send, Signal, Delete, Get, Enumerate ..."""
        return self.action.rpartition("/")[2]


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
    headers.check(header)
    return Request(
        action=_text(header, "a:Action"),
        message_id=_text(header, "a:MessageID"),
        to=_text(header, "a:To"),
        resource_uri=_text(header, "w:ResourceURI"),
        timeout=_timeout(_text(header, "w:OperationTimeout", "PT60S")),  # MaxTimeoutms of a Windows host
        max_envelope_size=int(_text(header, "w:MaxEnvelopeSize", "153600")),
        selectors=_named(header, "w:SelectorSet/w:Selector"),
        options=_named(header, "w:OptionSet/w:Option"),
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
    return _envelope(f"{request.action}Response", request.message_id, body)


def fault(request_id: str, error: Fault, machine: str) -> bytes:
    """Write a fault as Windows does: SOAP's code and reason, and the WSManFault with the number that clients read."""
    message = escape(error.message)
    for provider, path in error.providers:
        inner = f'<f:WSManFault xmlns:f="{_WSMAN_FAULT}" Code="{error.code}" Machine={quoteattr(machine)}>'
        message = (
            f"<f:ProviderFault provider={quoteattr(provider)} path={quoteattr(path)}>"
            f"{inner}<f:Message>{message}</f:Message></f:WSManFault></f:ProviderFault>"
        )
    detail = f"<w:FaultDetail>{_WSMAN_DETAIL}{error.detail}</w:FaultDetail>" if error.detail else ""
    body = (
        f"<s:Fault><s:Code><s:Value>s:{error.side}</s:Value>"
        f"<s:Subcode><s:Value>{error.subcode}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{escape(error.reason)}</s:Text></s:Reason>'
        f'<s:Detail>{detail}<f:WSManFault xmlns:f="{_WSMAN_FAULT}" Code="{error.code}" Machine={quoteattr(machine)}>'
        f"<f:Message>{message}</f:Message></f:WSManFault></s:Detail></s:Fault>"
    )
    return _envelope(_FAULT_ACTION, request_id, body)


def _envelope(action: str, relates_to: str, body: str) -> bytes:
    header = (
        f"<a:Action>{action}</a:Action><a:MessageID>uuid:{str(uuid4()).upper()}</a:MessageID>"
        f"<a:To>{_ANONYMOUS}</a:To><a:RelatesTo>{escape(relates_to)}</a:RelatesTo>"
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
