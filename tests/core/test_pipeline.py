"""What a host has answered, put together with what it answers later."""

from __future__ import annotations

from nestedlab.pipeline import ErrorRecord, Facts, PSObject

BUSY = ErrorRecord("x", "ResourceBusy", "the disk is being merged", "Get-VHD")


def thing(kind: str, **properties: str) -> PSObject:
    return PSObject(kind, properties)


def test_later_facts_take_the_place_of_earlier_ones_of_their_type_and_errors_stay() -> None:
    before = Facts((thing("VM", State="Off"), thing("Disk"), thing("Adapter"), thing("Adapter")), (BUSY,))
    later = Facts((thing("VM", State="Running"), thing("Adapter", Mac="1")))
    assert before.renewed(later) == Facts((thing("Disk"), *later.objects), (BUSY,))


def test_what_is_coming_is_added_unless_it_is_there_under_its_name_in_any_case() -> None:
    there, coming = thing("VMSwitch", Name="Lab"), thing("VMSwitch", Name="other")
    joined = Facts((there,), (BUSY,)).joined_by(Facts((thing("VMSwitch", Name="lab"), coming)))
    assert joined == Facts((there, coming), (BUSY,))
