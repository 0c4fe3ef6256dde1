"""Who sits where: spread, stable, overlapping nothing, and refused with the arithmetic if it does not fit."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.courses import course, roster

from nestedlab.classroom.capacity import Kind, Needs
from nestedlab.classroom.course import Course, Need, Student
from nestedlab.classroom.placement import Seats, seated
from nestedlab.classroom.refusals import DoesNotFit
from nestedlab.classroom.seat import Seat
from nestedlab.classroom.seat_checks import not_for_students, ports_of
from nestedlab.classroom.shared_nat import shared_nat
from nestedlab.nat_switch.table import network

COMMON = Needs(Need(memory_gib=24))


def place(of: Course, students: Sequence[Student], recorded: Sequence[Seat] = (), needs: Needs = COMMON) -> Seats:
    return seated(of, students, recorded, needs)


def parents(seats: Seats) -> dict[str, str]:
    return {seat.id: seat.parent for seat in seats.students}


def refusal(of: Course, students: Sequence[Student], recorded: Sequence[Seat] = (), needs: Needs = COMMON) -> list[str]:
    with pytest.raises(DoesNotFit) as told:
        place(of, students, recorded, needs)
    return str(told.value).splitlines()


def seat(student: str, **changes: Any) -> Seat:
    default = {"number": 1, "name": student, "parent": "hv01", "prefix": "10.9.0.0/24", "first_port": 40000}
    values: dict[str, Any] = {"id": student, **default, **changes}
    return Seat.model_validate({"last_port": values["first_port"] + 9, **values})


def test_students_are_spread_by_what_is_left() -> None:
    of = course({"big": {"memoryGib": 128}, "small": {"memoryGib": 68}})  # 120 and 60 GiB for students
    seats = place(of, roster("a", "b", "c", "d", "e", "f"))
    assert parents(seats) == {"a": "big", "b": "small", "c": "big", "d": "big", "e": "small", "f": "big"}


@pytest.mark.parametrize(
    ("limit", "need"),
    [({"diskGib": 320}, {"disk_gib": 80}), ({"cores": 4, "processorsPerCore": 2}, {"processors": 2})],
)
def test_what_is_scarce_on_a_parent_counts(limit: dict[str, Any], need: dict[str, Any]) -> None:
    of = course({"hv01": limit, "hv02": {}})
    seats = place(of, roster(*"abcdef"), needs=Needs(Need(memory_gib=8, **need)))
    assert [load.students for load in seats.loads] == [["d"], ["a", "b", "c", "e", "f"]]


def test_those_who_need_most_are_placed_first() -> None:
    of = course({"hv01": {"memoryGib": 68}, "hv02": {"memoryGib": 68}})
    needs = Needs(Need(memory_gib=30), {"c": Need(memory_gib=60)})
    assert parents(place(of, roster("a", "b", "c"), needs=needs)) == {"a": "hv02", "b": "hv02", "c": "hv01"}


def test_a_seat_has_the_first_free_number_network_and_ports() -> None:
    of = course({"hv01": {}})
    recorded = [seat("b", number=2, prefix="10.9.1.0/24", first_port=40010)]
    seats = place(of, roster("a", "b", "c"), recorded)
    assert [(each.number, each.prefix, each.first_port, each.last_port) for each in seats.students] == [
        (1, "10.9.0.0/24", 40000, 40009),
        (2, "10.9.1.0/24", 40010, 40019),
        (3, "10.9.2.0/24", 40020, 40029),
    ]
    assert seats.new == {"a", "c"}


def test_who_left_the_roster_keeps_the_seat_until_it_is_given_up() -> None:
    of = course({"hv01": {}})
    seats = place(of, roster("b"), [seat("a")])
    assert ([each.id for each in seats.leaving], seats.of("b")) == (["a"], seats.students[0])
    assert seats.students[0].prefix == "10.9.1.0/24"
    assert seats.loads[0].students == ["a", "b"]


def test_a_seat_has_what_the_roster_says_now() -> None:
    students = [Student.model_validate({"id": "a", "name": "New", "team": "red"})]
    (there,) = place(course(), students, [seat("a", name="Old")]).students
    assert (there.name, there.columns) == ("New", {"team": "red"})


def test_an_override_of_parent_and_network_is_honoured() -> None:
    of = course(overrides={"c": {"parent": "hv02", "prefix": "10.9.0.0/25"}, "b": {"prefix": "172.20.0.0/24"}})
    seats = place(of, roster("a", "b", "c"))
    assert {each.id: each.prefix for each in seats.students} == {
        "a": "10.9.1.0/24",
        "b": "172.20.0.0/24",
        "c": "10.9.0.0/25",
    }
    assert parents(seats)["c"] == "hv02"


def test_a_network_by_override_is_placed_where_it_is_free() -> None:
    of = course({"hv01": {"reserved": ["10.9.4.0/22"]}, "hv02": {}}, overrides={"a": {"prefix": "10.9.5.0/24"}})
    assert parents(place(of, roster("a"))) == {"a": "hv02"}


def test_what_is_reserved_on_a_parent_is_no_students_there() -> None:
    of = course({"hv01": {"reserved": ["10.9.0.0/23", "10.9.2.128/25", "10.9.8.0/21"]}})
    seats = place(of, roster(*"abcdef"[:5]))
    assert [each.prefix for each in seats.students] == [f"10.9.{third}.0/24" for third in (3, 4, 5, 6, 7)]


def test_on_a_parent_with_one_nat_the_class_has_it() -> None:
    of = course({"hv01": {"windows": 2016, "reserved": ["10.9.128.0/24"]}, "hv02": {"windows": 2019}})
    shared = shared_nat(of, "hv01")
    assert shared is not None
    assert (shared.stack, shared.switch) == ("class-nat-hv01", "basics-nat")
    assert (str(shared.prefix), str(shared.nat_prefix)) == ("10.9.0.0/24", "10.9.0.0/17")
    assert shared_nat(of, "hv02") is None
    seats = place(of, roster("a", "b"))
    assert [(each.parent, each.prefix, each.nat) for each in seats.students] == [
        ("hv01", "10.9.1.0/24", "class-nat-hv01"),
        ("hv02", "10.9.0.0/24", None),
    ]


# ---- what does not fit, with the arithmetic


def test_too_little_memory_is_refused_with_the_arithmetic() -> None:
    of = course({"hv01": {}, "hv02": {"memoryGib": 64, "hostMemoryGib": 4}})
    assert refusal(of, roster(*"abcdefghijkl")) == [
        "There is no room for 5 of 12 students: h, i, j, k, l.",
        (
            "hv01 takes 5 of 12 students: 128 GiB - 8 GiB for the host = 120 GiB of memory, "
            "of which 120 GiB are taken, each needs 24 GiB."
        ),
        (
            "hv02 takes 2 of 12 students: 64 GiB - 4 GiB for the host = 60 GiB of memory, of which 48 GiB are taken, "
            "each needs 24 GiB."
        ),
        "Add a parent, raise the limits, or let the labs take less.",
    ]


def test_capacity_is_that_of_all_stacks_at_once() -> None:
    of = course({"hv01": {"cores": 4, "diskGib": 400}})
    needs = Needs(Need(memory_gib=8, disk_gib=90, processors=6))
    assert refusal(
        of, roster("c", "d"), [seat("a"), seat("b", number=2, prefix="10.9.1.0/24", first_port=40010)], needs
    )[:3] == [
        "There is no room for 2 of 4 students: c, d.",
        "hv01 takes 2 of 4 students: 4 cores x 4 = 16 processors, of which 12 are taken, each needs 6 processors.",
        "2 students who left the roster still have seats: run `nestedlab class down a b` first.",
    ]


def test_one_who_needs_more_than_any_parent_has_is_named() -> None:
    needs = Needs(Need(memory_gib=24), {"b": Need(memory_gib=48)})
    lines = refusal(course({"hv01": {"memoryGib": 40}}), roster("a", "b"), needs=needs)
    assert lines[:2] == [
        "There is no room for 1 of 2 students: b.",
        (
            "hv01 takes 1 of 2 students: 40 GiB - 8 GiB for the host = 32 GiB of memory, of which 24 GiB are taken, "
            "each needs 48 GiB."
        ),
    ]


def test_only_the_parents_that_a_student_may_be_on_are_counted_up() -> None:
    of = course({"hv01": {"memoryGib": 30}, "hv02": {}}, overrides={"a": {"parent": "hv01"}})
    assert refusal(of, roster("a"))[1:] == [
        "hv01 takes 0 of 1 student: 30 GiB - 8 GiB for the host = 22 GiB of memory, each needs 24 GiB.",
        "Add a parent, raise the limits, or let the labs take less.",
    ]


def test_seats_that_no_longer_fit_are_refused() -> None:
    recorded = [seat("a"), seat("b", number=2, prefix="10.9.1.0/24", first_port=40010)]
    assert refusal(course({"hv01": {"memoryGib": 40}}), roster("a", "b"), recorded) == [
        (
            "hv01 has seats of 2 students, who need 48 GiB of memory together: "
            "40 GiB - 8 GiB for the host = 32 GiB of memory."
        ),
        "Seats do not move: raise the limits, or take students down with `nestedlab class down STUDENT`.",
    ]


def test_a_pool_that_is_too_small_is_refused() -> None:
    of = course({"hv01": {"reserved": ["10.9.0.0/25"]}, "hv02": {"windows": 2016}}, pool="10.9.0.0/22")
    assert refusal(of, roster(*"abcdef")) == [
        "The pool 10.9.0.0/22 has 4 networks of /24, and 3 students have one. None is left for d, e, f.",
        "Reserved on hv01: 10.9.0.0/25.",
        "The NAT network that all share on hv02 has a network of its own.",
        "Use a wider pool, or a greater prefixLength.",
    ]


def test_exhausted_ports_are_refused() -> None:
    of = course({"hv01": {}}, ports="40000-40024", seat=None)
    assert refusal(of, roster("a", "b", "c"))[:2] == [
        "There is no room for 1 of 3 students: c.",
        "hv01 takes 2 of 3 students: 40000-40024 are 25 ports, of which 20 are taken, each needs 10 ports.",
    ]


def test_ports_that_are_left_in_pieces_are_refused() -> None:
    of = course({"hv01": {}}, ports="40000-40024")
    recorded = [seat("a", first_port=40008)]
    assert len(place(of, roster("a", "b")).students) == 2
    assert refusal(of, roster("a", "b"), recorded) == [
        "hv01 has no 10 ports in a row left for b in 40000-40024. Use a wider range, or fewer ports for a student."
    ]


# ---- what contradicts what is recorded


def test_a_seat_does_not_move_by_an_override() -> None:
    of = course(overrides={"a": {"parent": "hv02", "prefix": "10.9.7.0/24"}})
    remedy = "Seats do not move: run `nestedlab class down a` first, or change the course file back."
    assert refusal(of, roster("a"), [seat("a")]) == [
        f"a has a seat with parent hv01, and an override with parent hv02. {remedy}",
        f"a has a seat with prefix 10.9.0.0/24, and an override with prefix 10.9.7.0/24. {remedy}",
    ]


def test_a_parent_with_seats_cannot_be_left_out() -> None:
    assert refusal(
        course({"hv02": {}}), roster("a"), [seat("a"), seat("b", number=2, prefix="10.9.1.0/24", first_port=1)]
    ) == [
        (
            "a, b have seats on 'hv01', which the course file does not have. Add it again, at least until "
            "`nestedlab class down a b` has removed their labs; "
            "if the host is lost, remove their seats from the seats file."
        ),
    ]


def test_a_seat_on_what_is_reserved_by_now_is_refused() -> None:
    of = course({"hv01": {"reserved": ["10.9.0.0/20"]}})
    assert refusal(of, roster("a"), [seat("a")])[0].startswith(
        "a's network 10.9.0.0/24 overlaps 10.9.0.0/20, which is reserved on hv01. Seats do not move:"
    )


def test_seats_that_somebody_has_mixed_up_are_refused() -> None:
    mend = "Change one of them in the seats file."
    both = "the recorded seats of a and b"
    assert refusal(course(), roster("a", "b"), [seat("a"), seat("b", prefix="10.9.0.128/25", first_port=40005)]) == [
        f"{both} have the number 1. {mend}",
        f"{both} overlap: 10.9.0.0/24 and 10.9.0.128/25. {mend}",
        f"{both} overlap: ports 40000-40009 and 40005-40014. {mend}",
    ]
    twice = refusal(course(), roster("a"), [seat("a"), seat("a", number=2, prefix="10.9.1.0/24", first_port=40010)])
    assert twice == ["there are two recorded seats of a. Remove the one that is wrong from the seats file."]


def test_a_network_by_override_that_is_taken_is_refused() -> None:
    of = course(
        {"hv01": {"windows": 2016}, "hv02": {"reserved": ["172.20.0.0/16"]}},
        overrides={"b": {"prefix": "10.9.0.0/16"}, "c": {"prefix": "10.9.6.0/24"}, "d": {"prefix": "172.20.1.0/24"}},
    )
    assert refusal(of, roster("a", "b", "c", "d"), [seat("a", prefix="10.9.3.0/24")]) == [
        "overrides.b.prefix: 10.9.0.0/16 overlaps the recorded network of a, 10.9.3.0/24. Choose another.",
        "overrides.c.prefix: 10.9.6.0/24 overlaps the network that b has by an override, 10.9.0.0/16. Choose another.",
        (
            "overrides.d.prefix: 172.20.1.0/24 cannot be used: on hv01 it is outside of 10.9.0.0/16, "
            "the NAT network that all share on hv01; "
            "on hv02 it overlaps 172.20.0.0/16, which is reserved on hv02. Choose another."
        ),
    ]


# ---- what holds for any class

IDS = [f"s{number:02}" for number in range(40)]


@st.composite
def classes(draw: st.DrawFn) -> tuple[Course, list[str], Needs]:
    names = [f"hv{number}" for number in range(draw(st.integers(1, 4)))]
    reserved = st.sampled_from(["10.9.0.0/24", "10.9.3.0/25", "10.9.16.0/20", "10.9.128.0/18"])
    of = course(
        {
            name: {
                "memoryGib": draw(st.integers(40, 400)),
                "reserved": draw(st.lists(reserved, max_size=2)),
                **draw(st.sampled_from([{}, {"windows": 2016}, {"cores": 32}, {"diskGib": 2000}])),
            }
            for name in names
        },
        prefixLength=draw(st.integers(23, 26)),
        portsPerStudent=draw(st.integers(1, 20)),
    )
    students = draw(st.lists(st.sampled_from(IDS), unique=True, max_size=12))
    own = draw(st.dictionaries(st.sampled_from(IDS), st.integers(1, 64), max_size=4))
    common = Need(memory_gib=draw(st.integers(4, 40)), disk_gib=100, processors=4)
    return of, students, Needs(common, {student: Need(memory_gib=memory) for student, memory in own.items()})


def placed(of: Course, ids: Sequence[str], recorded: Sequence[Seat], needs: Needs) -> Seats | None:
    try:
        return seated(of, roster(*ids), recorded, needs)
    except DoesNotFit:
        return None


@given(classes(), st.data())
def test_who_comes_or_goes_moves_nobody_else(of: tuple[Course, list[str], Needs], data: st.DataObject) -> None:
    course_, ids, needs = of
    before = placed(course_, ids, (), needs)
    if before is None:
        return
    absent = [student for student in IDS if student not in ids]
    at = data.draw(st.integers(0, len(ids)))
    more = placed(course_, [*ids[:at], data.draw(st.sampled_from(absent)), *ids[at:]], before.all, needs)
    if more is not None:
        assert [each for each in more.students if each.id in ids] == list(before.students)
        assert len(more.new) == 1
    gone = data.draw(st.sampled_from(ids)) if ids else None
    rest = [student for student in ids if student != gone]
    fewer = placed(course_, rest, before.all, needs)
    assert fewer is not None
    assert fewer.students == tuple(each for each in before.students if each.id != gone)
    assert {each.id for each in fewer.leaving} == ({gone} - {None})


@given(classes())
def test_no_two_students_have_anything_in_common_and_no_parent_is_overloaded(
    of: tuple[Course, list[str], Needs],
) -> None:
    course_, ids, needs = of
    seats = placed(course_, ids, (), needs)
    if seats is None:
        return
    assert placed(course_, ids, (), needs) == seats  # it is a function of what it is given
    assert [each.id for each in seats.students] == ids
    for one, other in itertools.combinations(seats.students, 2):
        assert one.number != other.number
        assert not network(one.prefix).overlaps(network(other.prefix))
        assert one.parent != other.parent or not ports_of(one).overlaps(ports_of(other))
    for each in seats.students:
        assert not any(network(each.prefix).overlaps(other) for other in not_for_students(course_, each.parent))
        assert network(each.prefix).subnet_of(network(course_.pool))
        shared = shared_nat(course_, each.parent)
        assert shared is None or network(each.prefix).subnet_of(shared.nat_prefix)
    for load in seats.loads:
        memory = sum(needs.of(student).memory_gib for student in load.students)
        parent = course_.parents[load.parent]
        assert load.used[Kind.MEMORY] == memory * 1024
        assert memory <= parent.memory_gib - parent.host_memory_gib
        assert set(load.students) == {each.id for each in seats.students if each.parent == load.parent}
