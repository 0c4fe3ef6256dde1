"""What a service refuses of an envelope's headers ([MS-WSMV] 3.1.4.1, SOAP 1.2 part 1, 2.4)."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from hyperv_sim.fidelity import fact
from hyperv_sim.wire import wsman_faults

_SOAP = "{http://www.w3.org/2003/05/soap-envelope}"
_ADDRESSING = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}"
_WSMAN = "{http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd}"
_WINDOWS = "{http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd}"
_SHELL = "{http://schemas.microsoft.com/wbem/wsman/1/windows/shell}"
_UNDERSTOOD = frozenset(
    {
        *(f"{_ADDRESSING}{name}" for name in ("Action", "FaultTo", "From", "MessageID", "RelatesTo", "ReplyTo", "To")),
        *(
            f"{_WSMAN}{name}"
            for name in ("Locale", "MaxEnvelopeSize", "OperationTimeout", "OptionSet", "ResourceURI", "SelectorSet")
        ),
        *(f"{_WINDOWS}{name}" for name in ("ActivityId", "DataLocale", "OperationID", "SequenceId", "SessionId")),
        f"{_SHELL}CompressionType",
    }
)
_LEAST_ENVELOPE = 8192  # bytes


def check(header: ET.Element) -> None:
    """Raise Fault for headers that a Windows service answers with one."""
    for child in header:
        if child.get(f"{_SOAP}mustUnderstand", "") in {"1", "true"} and child.tag not in _UNDERSTOOD:
            raise wsman_faults.not_understood(child.tag.rpartition("}")[2])
    if not header.findtext(f"{_ADDRESSING}MessageID", "").strip():
        raise wsman_faults.no_message_id()
    size = header.findtext(f"{_WSMAN}MaxEnvelopeSize", str(_LEAST_ENVELOPE)).strip()
    if not re.fullmatch("[0-9]{1,12}", size):
        raise wsman_faults.schema_violation("MaxEnvelopeSize")
    if int(size) < _LEAST_ENVELOPE:
        raise wsman_faults.envelope_too_small(size)


fact(
    "WSMan",
    "a header with mustUnderstand that is not understood is fault 2150858768",
    "SOAP 1.2 and the number in wsmerror.h; the fault's form is inferred",
)
fact(
    "WSMan", "a missing or empty MessageID is fault 2150858767 (InvalidMessageInformationHeader)", "[MS-WSMV] 3.1.4.1.5"
)
fact("WSMan", "a MaxEnvelopeSize below 8192 is fault 2150858878, EncodingLimit", "[MS-WSMV] 3.1.4.1.7, wsmerror.h")
fact(
    "WSMan",
    "a MaxEnvelopeSize that is no number is fault 2150858817, SchemaValidationError",
    "inferred from reports of the same fault for other elements",
)
