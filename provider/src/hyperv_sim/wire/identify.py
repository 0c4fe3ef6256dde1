"""The Identify operation: which service listens here, asked with or without a log-on ([DSP0226] 11)."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from hyperv_sim.fidelity import fact
from hyperv_sim.wire.soap import NAMESPACES

HEADER, UNAUTHENTICATED = "WSMANIDENTIFY", "unauthenticated"
"""The HTTP header with which Windows answers a request that nobody has logged on for."""
NO_VERSION = "0.0.0"
"""What it says of the version of Windows to such a request."""
_NAMESPACE = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"


def is_asked(envelope: bytes) -> bool:
    """Whether an envelope asks for it."""
    if _NAMESPACE.encode() not in envelope or b"<!DOCTYPE" in envelope:
        return False
    try:
        root = ET.fromstring(envelope)  # noqa: S314 - as in soap.py, nothing outside of it is read
    except ET.ParseError:
        return False
    return root.find(f"s:Body/{{{_NAMESPACE}}}Identify", NAMESPACES) is not None


def answer(version: str) -> bytes:
    """Give the answer; `version` is that of Windows, as 10.0.20348."""
    product = f"OS: {version} SP: 0.0 Stack: 3.0"
    return (
        f'<s:Envelope xml:lang="en-US" xmlns:s="{NAMESPACES["s"]}"><s:Header></s:Header><s:Body>'
        f'<wsmid:IdentifyResponse xmlns:wsmid="{_NAMESPACE}">'
        f"<wsmid:ProtocolVersion>{NAMESPACES['w']}</wsmid:ProtocolVersion>"
        "<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>"
        f"<wsmid:ProductVersion>{product}</wsmid:ProductVersion></wsmid:IdentifyResponse></s:Body></s:Envelope>"
    ).encode()


fact(
    "WSMan",
    "Identify is answered without a log-on if the header WSMANIDENTIFY says so, and then without Windows' version",
    "Microsoft's page on detecting the protocol; the form in public logs of Test-WSMan",
)
