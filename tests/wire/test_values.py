"""What goes over the wire arrives as what it is, in both directions."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psrpcore import PSRemotingCrypto
from psrpcore.types import deserialize
from pypsrp.complex_objects import GenericComplexObject
from pypsrp.serializer import TaggedValue

from hyperv_sim.powershell.cim import FOREVER
from hyperv_sim.records import EnumMember, NetList, NetObject, Parameter, Scalar, Value
from hyperv_sim.wire.clixml import from_wire
from hyperv_sim.wire.clixml_writer import written

if TYPE_CHECKING:
    from tests.wire.conftest import Wire

OFF = EnumMember("Microsoft.HyperV.PowerShell.VMState", "Off", 3)
ID = UUID("7f3c2f0e-0d5a-4f57-9a35-3f0d8f5a6a11")


def _scalars() -> st.SearchStrategy[Scalar]:
    def of(name: Any, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Scalar]:
        return values.map(lambda value: Scalar(name, value))

    return st.one_of(
        of("Boolean", st.booleans()),
        of("Byte", st.integers(0, 2**8 - 1)),
        of("Byte[]", st.binary(max_size=20)),
        of("DateTime", st.datetimes(datetime(1900, 1, 1), timezones=st.just(timezone.utc))),
        of("Double", st.floats(allow_nan=False, allow_infinity=False)),
        of("Guid", st.uuids()),
        of("Int16", st.integers(-(2**15), 2**15 - 1)),
        of("Int32", st.integers(-(2**31), 2**31 - 1)),
        of("Int64", st.integers(-(2**63), 2**63 - 1)),
        of("Single", st.floats(width=16, allow_nan=False, allow_infinity=False)),
        of("String", st.text(st.characters(exclude_categories=["Cs"]), max_size=40)),
        of("TimeSpan", st.timedeltas(timedelta(0), timedelta(days=1000))),
        of("UInt16", st.integers(0, 2**16 - 1)),
        of("UInt32", st.integers(0, 2**32 - 1)),
        of("UInt64", st.integers(0, 2**64 - 1)),
        of("Version", st.from_regex(r"\A[1-9]\.[1-9][0-9]?\Z")),
    )


def _values() -> st.SearchStrategy[Value]:
    names = st.from_regex(r"\A[A-Z][a-z]{0,8}\Z")
    leaves = st.one_of(st.none(), st.just(OFF), _scalars())
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(tuple),
            st.dictionaries(names, inner, max_size=3),
        ),
        max_leaves=6,
    )


def _read_again(value: Value) -> Value:
    return from_wire(deserialize(ET.fromstring(written(value)), PSRemotingCrypto()))  # noqa: S314


@given(_values())
def test_what_is_written_is_read_again(value: Value) -> None:
    assert _read_again(value) == value


def test_a_collection_is_written_with_its_own_types_and_an_object_without_any_has_none() -> None:
    ports = NetList(("Lab.Port[]", "System.Array"), (Scalar("String", "p1"), NetObject((), extended={"N": None})))
    assert written(ports) == (
        '<Obj RefId="0"><TN RefId="0"><T>Lab.Port[]</T><T>System.Array</T></TN><LST><S>p1</S>'
        '<Obj RefId="1"><MS><Nil N="N" /></MS></Obj></LST></Obj>'
    )


def test_an_object_that_comes_back_is_marked_as_deserialized() -> None:
    machine = NetObject(("A.VM", "System.Object"), {"Name": Scalar("String", "x")}, {"N": Scalar("Int64", 1)}, "x")
    expected = NetObject(("Deserialized.A.VM", "Deserialized.System.Object"), machine.adapted, machine.extended, "x")
    assert _read_again(machine) == expected


def _text(text: str) -> Scalar:
    return Scalar("String", text)


CUSTOM = ("System.Management.Automation.PSCustomObject", "System.Object")
PLAIN = NetObject(("Lab.Plain", "System.Object"), {"A": Scalar("Int32", 1)}, text="Lab.Plain")
PLAIN_TYPES = "<T>Lab.Plain</T><T>System.Object</T>"
PLAIN_CONTENT = '<ToString>Lab.Plain</ToString><Props><I32 N="A">1</I32></Props>'
CUSTOM_TYPES = '<TN RefId="0"><T>System.Management.Automation.PSCustomObject</T><T>System.Object</T></TN>'


@pytest.mark.parametrize(
    ("value", "recorded"),
    [
        (Scalar("TimeSpan", timedelta(0)), "<TS>PT0S</TS>"),
        (Scalar("TimeSpan", timedelta(seconds=10)), "<TS>PT10S</TS>"),
        (Scalar("TimeSpan", timedelta(minutes=1)), "<TS>PT1M</TS>"),
        (Scalar("TimeSpan", timedelta(days=1.5)), "<TS>P1DT12H</TS>"),
        (Scalar("TimeSpan", timedelta(seconds=-90.25)), "<TS>-PT1M30.25S</TS>"),
        (Scalar("TimeSpan", FOREVER), "<TS>P10675199DT2H48M5.4775807S</TS>"),
        (Scalar("Double", float("nan")), "<Db>NaN</Db>"),
        (Scalar("Double", float("inf")), "<Db>INF</Db>"),
        (Scalar("Double", 1.7976931348623157e308), "<Db>1.7976931348623157E+308</Db>"),
        (Scalar("Double", 1e-7), "<Db>1E-07</Db>"),
        (Scalar("Double", -0.0), "<Db>-0</Db>"),
        (Scalar("Byte[]", b"\x01\x02\xff"), "<BA>AQL/</BA>"),
        (Scalar("Version", "1.2.3.4"), "<Version>1.2.3.4</Version>"),
        (_text("a\tb\r\nc\0d\x7f\x85"), "<S>a_x0009_b_x000D__x000A_c_x0000_d_x007F__x0085_</S>"),
        (_text("\U0001f600"), "<S>_xD83D__xDE00_</S>"),
        (_text("a\ud800b"), "<S>a_xD800_b</S>"),
        (_text("a\ufffeb\uffff"), "<S>a&#xFFFE;b&#xFFFF;</S>"),
        (_text("  a  "), "<S>  a  </S>"),
        (_text("A _x000a A _xZZZZ_"), "<S>A _x005F_x000a A _x005F_xZZZZ_</S>"),
        (
            (Scalar("Int32", 1), _text("a"), None),
            (
                '<Obj RefId="0"><TN RefId="0"><T>System.Object[]</T><T>System.Array</T><T>System.Object</T></TN>'
                "<LST><I32>1</I32><S>a</S><Nil /></LST></Obj>"
            ),
        ),
        (
            {"a": Scalar("Int32", 1)},
            (
                '<Obj RefId="0"><TN RefId="0"><T>System.Collections.Hashtable</T><T>System.Object</T></TN>'
                '<DCT><En><S N="Key">a</S><I32 N="Value">1</I32></En></DCT></Obj>'
            ),
        ),
        (
            PLAIN,
            f'<Obj RefId="0"><TN RefId="0">{PLAIN_TYPES}</TN>{PLAIN_CONTENT}</Obj>',
        ),
        (
            NetObject(CUSTOM, extended={"A": Scalar("Int32", 1), "B": None}),
            f'<Obj RefId="0">{CUSTOM_TYPES}<MS><I32 N="A">1</I32><Nil N="B" /></MS></Obj>',
        ),
        (
            NetObject(CUSTOM, extended={"A": PLAIN, "B": PLAIN}),
            (
                f'<Obj RefId="0">{CUSTOM_TYPES}<MS><Obj N="A" RefId="1"><TN RefId="1">{PLAIN_TYPES}</TN>'
                f'{PLAIN_CONTENT}</Obj><Ref N="B" RefId="1" /></MS></Obj>'
            ),
        ),
    ],
)
def test_a_value_is_written_as_powershell_was_recorded_to_write_it(value: Value, recorded: str) -> None:
    assert written(value) == recorded


def test_two_members_of_an_enumeration_are_two_objects() -> None:
    sent = written(NetObject(CUSTOM, extended={"A": OFF, "B": OFF}))
    assert sent.count("<ToString>Off</ToString><I32>3</I32>") == 2


@pytest.mark.parametrize(
    ("sent", "received"),
    [
        (None, None),
        (True, Scalar("Boolean", True)),
        (4, Scalar("Int32", 4)),
        (TaggedValue("I64", 8 << 30), Scalar("Int64", 8 << 30)),
        (TaggedValue("U64", 2**64 - 1), Scalar("UInt64", 2**64 - 1)),
        (TaggedValue("Db", 1.5), Scalar("Double", 1.5)),
        (TaggedValue("TS", "PT1M30S"), Scalar("TimeSpan", timedelta(seconds=90))),
        (1.5, Scalar("Single", 1.5)),
        ("é \U0001f600 _x0041_\r\n", Scalar("String", "é \U0001f600 _x0041_\r\n")),
        (b"\x00\xff", Scalar("Byte[]", b"\x00\xff")),
        (ID, Scalar("Guid", ID)),
        (["a", 1], (Scalar("String", "a"), Scalar("Int32", 1))),
        ([], ()),
        ({"a": {"b": ["c"]}}, {"a": {"b": (Scalar("String", "c"),)}}),
    ],
)
def test_parameters_keep_their_types(wire: Wire, sent: object, received: Value) -> None:
    with wire.open(wire.serve(tls=True)) as pool:
        wire.invoke(pool, "Set-It", Value=sent)
    assert wire.host.ran[0].parameters == (Parameter("Value", received),)


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (Scalar("Int32", 4), 4),
        (Scalar("Int64", 8 << 30), 8 << 30),
        (Scalar("UInt64", 2**64 - 1), 2**64 - 1),
        (Scalar("Boolean", False), False),
        (Scalar("String", "é\r\n\U0001f600"), "é\r\n\U0001f600"),
        (Scalar("String", ""), ""),
        (Scalar("Guid", ID), ID),
        (Scalar("Version", "10.0"), "10.0"),
        (Scalar("TimeSpan", timedelta(0)), "PT0S"),
        (Scalar("TimeSpan", timedelta(hours=1, seconds=5)), "PT1H5S"),
        (Scalar("TimeSpan", timedelta(seconds=20)), "PT20S"),
        ((), []),
        ((Scalar("String", "a"), None), ["a", None]),
        ({"a": Scalar("Int32", 1)}, {"a": 1}),
    ],
)
def test_output_keeps_its_type(wire: Wire, answer: Value, seen: object) -> None:
    wire.host.answers = [answer]
    with wire.open(wire.serve(tls=True)) as pool:
        assert wire.invoke(pool, "Get-Answer").output == [seen]


def test_a_whole_object_and_a_selected_one_look_as_on_windows(wire: Wire) -> None:
    machine = "Microsoft.HyperV.PowerShell.VirtualMachine"
    wire.host.answers = [
        NetObject(
            (machine, "Microsoft.HyperV.PowerShell.VirtualizationObject", "System.Object"),
            adapted={"Id": Scalar("Guid", ID), "State": Scalar("String", "Off"), "HardDrives": ()},
            text="VirtualMachine (Name = 'hv1')",
        ),
        NetObject(
            (f"Selected.{machine}", "System.Management.Automation.PSCustomObject", "System.Object"),
            extended={"Id": Scalar("Guid", ID), "State": OFF, "Before": OFF},
        ),
    ]
    with wire.open(wire.serve()) as pool:
        whole, selected = wire.invoke(pool, "Get-Answer").output
    assert isinstance(whole, GenericComplexObject)
    assert whole.types[0] == machine
    assert whole.adapted_properties == {"Id": ID, "State": "Off", "HardDrives": []}
    assert str(whole) == "VirtualMachine (Name = 'hv1')"
    assert selected.types[0] == f"Selected.{machine}"
    for state in (selected.extended_properties["State"], selected.extended_properties["Before"]):
        assert (str(state), state.property_sets, state.types[0]) == ("Off", [3], OFF.type_name)


def test_a_secure_string_is_read_once_keys_are_exchanged(wire: Wire) -> None:
    with wire.open(wire.serve()) as pool:
        pool.exchange_keys()
        wire.invoke(pool, "Set-It", Password=TaggedValue("SS", "in"))
    assert wire.host.ran[0].parameters[0].value == Scalar("SecureString", "in")


@pytest.mark.parametrize("length", [40_000, 1_500_000])
@pytest.mark.parametrize(("tls", "auth"), [(False, "ntlm"), (True, "basic")])
def test_large_values_arrive_whole_both_ways(wire: Wire, tls: bool, auth: str, length: int) -> None:
    text = "0123456789" * (length // 10)
    with wire.open(wire.serve(tls=tls), auth=auth) as pool:
        assert wire.invoke(pool, "Write-Output", InputObject=text).output == [text]


def test_an_answer_stays_within_the_envelope_that_the_client_allows(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire.host.answers = [Scalar("String", f"{number} {'x' * 300}") for number in range(2_000)]
    with wire.open(wire.serve(tls=True), max_envelope_size=65_536) as pool:
        sizes: list[int] = []
        send = pool.connection.transport.send

        def measured(message: bytes, **settings: Any) -> bytes:
            answer: bytes = send(message, **settings)
            sizes.append(len(answer))
            return answer

        monkeypatch.setattr(pool.connection.transport, "send", measured)
        assert len(wire.invoke(pool, "Get-Answer").output) == 2_000
    assert max(sizes) <= 65_536
