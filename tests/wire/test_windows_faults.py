"""Faults and answers in the form that Windows sends, as read by somebody who does not use pypsrp."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
import requests

if TYPE_CHECKING:
    from tests.wire.conftest import Wire

    from hyperv_sim.server import SimulatedServer

CIM_NAMESPACE = "root/microsoft/windows/management"
NAMES = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "p": "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd",
    "rsp": "http://schemas.microsoft.com/wbem/wsman/1/windows/shell",
    "f": "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault",
    "m": f"http://schemas.microsoft.com/wbem/wsman/1/wmi/{CIM_NAMESPACE}/MSFT_WmiError",
}
CREATE = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Create"
GET = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get"
POWERSHELL = "http://schemas.microsoft.com/powershell/Microsoft.PowerShell"
CONFIG = "http://schemas.microsoft.com/wbem/wsman/1/config"


def ask(server: SimulatedServer, action: str, resource: str, body: str = "", **more: str) -> ElementTree.Element:
    headers = {"a:Action": action, "w:ResourceURI": resource, "a:MessageID": "uuid:1", **more}
    written = "".join(f"<{name}>{value}</{name}>" for name, value in headers.items())
    declared = "".join(f' xmlns:{name}="{uri}"' for name, uri in NAMES.items())
    answer = requests.post(
        f"{server.url}/wsman",
        f"<s:Envelope{declared}><s:Header>{written}</s:Header><s:Body>{body}</s:Body></s:Envelope>",
        headers={"Content-Type": "application/soap+xml;charset=UTF-8"},
        auth=(server.username, server.password),
        verify=server.ca_bundle,
        timeout=30,
    )
    return ElementTree.fromstring(answer.content)  # noqa: S314 - our own simulator's


def test_a_full_quota_of_shells_is_an_error_of_wmi_that_relates_to_nothing(wire: Wire) -> None:
    server = wire.serve(tls=True)
    server.arm("fault=2150859173 Create#1", "fault=2150859174 Create#2")
    shells, operations = (ask(server, CREATE, POWERSHELL) for _ in range(2))
    assert shells.find("s:Header/a:RelatesTo", NAMES) is None
    assert shells.find(".//f:WSManFault", NAMES) is None
    assert shells.findtext(".//s:Code/s:Value", "", NAMES) == "s:Sender"
    assert shells.findtext(".//s:Subcode/s:Value", "", NAMES) == "w:QuotaLimit"
    error = shells.find("s:Body/s:Fault/s:Detail/m:MSFT_WmiError", NAMES)
    assert error is not None
    told = {part.tag.rpartition("}")[2]: part.text for part in error}
    assert (
        told
        | {
            "CIMStatusCode": "27",
            "MessageID": "HRESULT 0x803381a5",
            "error_Category": "30",
            "error_Code": "2150859173",
            "error_Type": "HRESULT",
        }
        == told
    )
    assert operations.findtext(".//s:Code/s:Value", "", NAMES) == "s:Receiver"
    assert operations.findtext(".//s:Subcode/s:Value", "", NAMES) == "w:InternalError"
    assert operations.findtext(".//m:error_Code", "", NAMES) == "2150859174"


def test_a_create_without_a_creation_xml_is_a_fault_of_the_plugin(wire: Wire) -> None:
    fault = ask(wire.serve(tls=True), CREATE, POWERSHELL, "<rsp:Shell/>")
    assert fault.findtext("s:Header/a:RelatesTo", "", NAMES) == "uuid:1"
    assert [found.get("Code") for found in fault.iterfind(".//f:WSManFault", NAMES)] == ["2152992672"]
    assert fault.findtext(".//s:Reason/s:Text", None, NAMES) == ""
    plugin = fault.find(".//f:ProviderFault", NAMES)
    assert plugin is not None
    assert (plugin.get("provider"), plugin.text) == (
        "microsoft.powershell",
        "Element 'creationXml' was not found. Line 1, position 2.",
    )


@pytest.mark.parametrize(
    ("body", "header", "element"),
    [
        ("", {}, "Shell"),
        ("<rsp:Shell/>", {"w:MaxEnvelopeSize": "much"}, "MaxEnvelopeSize"),
        ("<rsp:Shell/>", {"w:MaxEnvelopeSize": "9" * 5000}, "MaxEnvelopeSize"),
        ("<rsp:Shell/>", {"w:MaxEnvelopeSize": "-1"}, "MaxEnvelopeSize"),
    ],
)
def test_what_the_schema_forbids_is_told_with_the_element(
    wire: Wire, body: str, header: dict[str, str], element: str
) -> None:
    fault = ask(wire.serve(tls=True), CREATE, POWERSHELL, body, **header)
    (found,) = fault.iterfind(".//f:WSManFault", NAMES)
    assert found.get("Code") == "2150858817"
    assert fault.findtext(".//s:Subcode/s:Value", "", NAMES) == "w:SchemaValidationError"
    assert fault.findtext(".//w:FaultDetail", "", NAMES).endswith(element)


def test_an_operation_of_the_client_s_naming_comes_back(wire: Wire) -> None:
    server = wire.serve(tls=True)
    answer = ask(server, GET, CONFIG, **{"p:OperationID": "uuid:2"})
    operation = answer.find("s:Header/p:OperationID", NAMES)
    assert operation is not None
    assert (operation.text, operation.get(f"{{{NAMES['s']}}}mustUnderstand")) == ("uuid:2", "false")
    assert answer.findtext("s:Header/p:SequenceId", "", NAMES) == "1"
    assert ask(server, GET, CONFIG).find("s:Header/p:OperationID", NAMES) is None


def test_a_long_answer_comes_in_chunks(wire: Wire) -> None:
    with wire.open(wire.serve(tls=True)) as pool:
        assert wire.invoke(pool, "Write-Output", InputObject="x" * 100_000).output == ["x" * 100_000]
        assert pool.connection.transport.session is not None
        hooks: list[dict[str, str]] = []
        pool.connection.transport.session.hooks["response"].append(lambda got, **_: hooks.append(dict(got.headers)))
        wire.invoke(pool, "Write-Output", InputObject="x" * 100_000)
    assert [("Transfer-Encoding" in got) for got in hooks[:2]] == [False, True]
