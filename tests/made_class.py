"""A class that nobody attends, with everything that a page may have to show."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from nestedlab.classroom.pages import ClassPage, Drift, DriftRow, Logon, Operation, ParentPage, StudentPage
from nestedlab.classroom.seat import Seat
from nestedlab.topology.model import Adapter, Forward, Host, Machine, Nat, Switch, Topology

MADE_AT = datetime(2026, 11, 30, 15, 0, tzinfo=timezone(timedelta(hours=1)))

LONG = "Maximiliana Theodora von und zu Hohenlohe-Schillingsfürst-Waldenburg"
LONG_ID = "maximiliana-theodora-von-und-zu-hohenlohe-schillingsfuerst-waldenburg-im-hohenlohekreis"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'|`*_"
UNBROKEN = "W" * 70


def seat(number: int, student: str, name: str) -> Seat:
    return Seat(
        number=number,
        id=student,
        name=name,
        parent=f"hv0{1 + number % 2}",
        prefix=f"10.9.{number}.0/24",
        first_port=33800 + 10 * number,
        last_port=33809 + 10 * number,
    )


def lab(number: int, suffix: str, power_state: str = "Running") -> Topology:
    """A lab of one machine, with ports for RDP and PowerShell."""
    net, machine = f"rdp-net-{suffix}", f"rdp-hv1-{suffix}"
    inside = f"10.9.{number}.10"
    forwards = (Forward("TCP", 33800 + 10 * number, inside, 3389), Forward("TCP", 33801 + 10 * number, inside, 5985))
    nat = Nat(f"{net}-eb3a40038dd6", f"10.9.{number}.0/24")
    switch = Switch(net, "rdp-net", f"10.9.{number}.0/24", f"10.9.{number}.1", nat, forwards)
    host = Machine(machine, "rdp-hv1", "0", power_state, 4, 8192, "clean", (Adapter(net),))
    return Topology("rdp", suffix, (Host("HV01", "hv01.example.org", (switch,), (host,)),))


def cluster(number: int, suffix: str) -> Topology:
    """A lab with several machines, networks and kinds of adapters."""
    prefix = f"10.9.{number}"
    management = Switch(
        f"management-{suffix}", "management", f"{prefix}.0/25", f"{prefix}.126", Nat("n", f"{prefix}.0/24")
    )
    storage = Switch(
        f"storage-{suffix}",
        "storage",
        f"{prefix}.128/25",
        f"{prefix}.129",
        Nat("n", joined=True),
        (
            Forward("TCP", 33801, f"{prefix}.130", 22, "203.0.113.117"),
            Forward("UDP", 33802, f"{prefix}.131", 53),
            Forward("TCP", 33803, f"{prefix}.132", 443),
            Forward("TCP", 33804, f"{prefix}.133", 8123),
            Forward("TCP", 33805, f"{prefix}.134", 5986),
        ),
    )
    nodes = tuple(
        Machine(
            f"node{node}-{suffix}",
            f"node{node}",
            str(node),
            "Running" if node % 3 else "Saved",
            8,
            12800,
            adapters=(
                Adapter(management.name, "Management", mac_spoofing=True),
                Adapter(storage.name, "Storage", vlan=12),
                Adapter("LAN", "Outside", trunk="10-12,20", native_vlan=10),
                Adapter("", "Spare"),
            ),
        )
        for node in range(1, 5)
    )
    guest = Machine("guest", "guest", "6", "Running", 1, 512, adapters=(Adapter("inside"),))
    inside = Host("WITNESS", switches=(Switch("inside", "inside", "10.0.0.0/24", "10.0.0.1"),), machines=(guest,))
    witness = Machine(f"witness-{suffix}", "witness", "5", "Off", 1, 512, "", (Adapter("LAN"),), inside)
    here = Host("HV01", "hv01.example.org", (management, storage, Switch("LAN")), nodes)
    return Topology("cluster", suffix, (here, Host("HV02", "2001:db8::2", (Switch("LAN"),), (witness,))))


def student(number: int, student: str, name: str) -> StudentPage:
    """A student whose lab is up and as it should be."""
    then = MADE_AT - timedelta(minutes=number)
    return StudentPage(seat(number, student, name), lab(number, student), then, Operation("up", then), Drift(then, 0))


def special() -> list[StudentPage]:
    """Students with whom something is the matter."""
    failed = Operation(
        "up", MADE_AT, f"machine 'hv1': {UNBROKEN} </style><script>alert(3)</script>", f"/srv/{UNBROKEN}.log"
    )
    rows = tuple(
        DriftRow("rdp-hv1", name, expected, found)
        for name, expected, found in (("processors", "4", "2"), ("notes", "", HOSTILE), (UNBROKEN, "true", "false"))
    )
    names = {"long": LONG, "hostile": HOSTILE, "unbroken": UNBROKEN, "cluster": "Chloé Đức 陳大文 عمر"}
    return [
        replace(student(1, "failed", "Anna Failed"), operation=failed),
        replace(student(2, "drifted", "Ben Drifted"), drift=Drift(MADE_AT, 4, rows)),
        replace(student(3, "stopped", "Elif Stopped"), topology=lab(3, "stopped", "Off"), drift=None),
        StudentPage(seat(4, "absent", "Farid Absent")),
        StudentPage(seat(5, "unknown", "Giulia Unknown"), unread="the stack is sealed with another passphrase"),
        replace(student(6, LONG_ID, names["long"]), topology=lab(6, LONG_ID)),
        replace(student(7, "hostile", names["hostile"]), topology=lab(7, HOSTILE)),
        replace(student(8, "unbroken", names["unbroken"]), topology=lab(8, UNBROKEN), known_logons=(Logon("a"),)),
        replace(
            student(9, "cluster", names["cluster"]),
            topology=cluster(9, "cluster"),
            known_logons=(Logon("node1-cluster", "Administrator", "P@ss`w0rd|<1>"),),
        ),
    ]


def made_class(size: int) -> ClassPage:
    """A class of so many students: first those with whom something is the matter, then others."""
    first = special()[:size]
    others = [student(number, f"student{number}", f"Student {number}") for number in range(len(first) + 1, size + 1)]
    students = (*first, *others)
    parents = tuple(
        ParentPage(name, f"{name}.example.org", tuple(page for page in students if page.seat.parent == name), memory)
        for name, memory in (("hv01", 192.0), ("hv02", None))
    )
    return ClassPage("windows-server-2025", MADE_AT, students, parents if size else ())
