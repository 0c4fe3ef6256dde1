"""A disk whose file or image somebody has removed or written to: seen, reported, and nothing on it lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hyperv_sim.state.disks import place
from nestedlab.errors import RefusedError

if TYPE_CHECKING:
    from tests.provider.conftest import NewProvider, Provider, Thing

    from hyperv_sim.state.files import File

IMAGE = r"D:\Images\ws2022.vhdx"
GIVEN = r"D:\Data\given.vhdx"
ON_IMAGE: dict[str, Any] = {"os_disk": {"parent": IMAGE}, "running": False}


@pytest.fixture(autouse=True)
def image(provider: Provider) -> File:
    """An image on the host."""
    return place(provider.parent.host.state.files, IMAGE)


def _resized(provider: Provider) -> None:
    provider.parent.by_hand("Resize-VHD", Path=IMAGE, SizeBytes=50 * 2**30)


def _removed(provider: Provider) -> None:
    provider.parent.by_hand("Remove-Item", LiteralPath=IMAGE)


@pytest.mark.parametrize("breaks", [_removed, _resized])
def test_a_disk_whose_image_is_broken_is_a_drift_with_a_warning_and_the_rest_is_read(
    breaks: Any, provider: Provider
) -> None:
    made = provider.create("machine", **ON_IMAGE)
    file = made.values["os_disk_path"]
    breaks(provider)
    provider.parent.by_hand("Set-VM", Name="hv1", AutomaticStartDelay=7)
    seen = provider.seen("machine", made)
    broken = {**made.values["os_disk"], "unreadable": f"{file} on the image {IMAGE}"}
    assert seen.values == {**made.values, "automatic_start_delay": 7, "os_disk": broken}
    (warning,) = provider.warnings
    assert warning.startswith(f"the OS disk cannot be read: {file} on the image {IMAGE}. ")
    assert "Put the image back as it was, or replace the machine" in warning
    again = provider.seen("machine", seen)
    assert again.values == seen.values


def test_a_disk_whose_image_is_back_is_as_it_was(image: File, provider: Provider) -> None:
    made = provider.create("machine", **ON_IMAGE)
    _removed(provider)
    broken = provider.seen("machine", provider.seen("machine", made))
    provider.parent.host.state.files.put(image)
    provider.warnings.clear()
    seen = provider.seen("machine", broken)
    assert "unreadable" not in seen.values["os_disk"]
    assert not provider.diff("machine", seen, **ON_IMAGE).has_changes
    assert not provider.warnings
    assert provider.update("machine", broken, **ON_IMAGE).values == made.values


@pytest.mark.parametrize("breaks", [_removed, _resized])
def test_an_update_of_a_machine_whose_image_is_broken_is_refused_and_changes_nothing(
    breaks: Any, provider: Provider
) -> None:
    inputs = {**ON_IMAGE, "baseline": "clean"}
    made = provider.create("machine", **inputs)
    breaks(provider)
    seen = provider.seen("machine", made)
    before = provider.parent.snapshot()
    provider.warnings.clear()
    difference = provider.diff("machine", seen, **inputs, processors=2)
    assert (difference.has_changes, difference.replaces) == (True, ())
    assert [text for text in provider.warnings if f"on the image {IMAGE}" in text]
    for state in (made, seen):
        with pytest.raises(RefusedError) as refused:
            provider.update("machine", state, **inputs, processors=2, reset="1")
        assert f"the OS disk cannot be read: {made.values['os_disk_path']} on the image {IMAGE}" in str(refused.value)
    assert provider.parent.snapshot() == before


def test_a_machine_whose_image_is_gone_goes_with_its_disk(provider: Provider) -> None:
    before = provider.parent.snapshot()
    made = provider.create("machine", **ON_IMAGE)
    image = provider.parent.host.state.files.find(IMAGE)
    assert image is not None
    _removed(provider)
    provider.delete("machine", provider.seen("machine", provider.seen("machine", made)))
    provider.parent.host.state.files.put(image)
    assert provider.parent.snapshot() == before


@pytest.mark.parametrize("broken", ["hv1", "hv2", "hv4"])
def test_one_broken_machine_among_many_costs_its_own_read_and_no_other(
    broken: str, provider: Provider, new_provider: NewProvider
) -> None:
    def of(name: str) -> dict[str, Any]:
        disk = {"parent": IMAGE} if name == broken else {"size_gib": 80}
        return {"name": name, "owner": f"lab/dev/{name}", "os_disk": disk, "running": False}

    made = [provider.create("machine", **of(f"hv{number}")) for number in range(1, 6)]
    healthy = _refreshed(new_provider(provider.parent), made)
    _removed(provider)
    refreshing = new_provider(provider.parent)
    requests = _refreshed(refreshing, made)
    assert len(refreshing.warnings) == 1
    assert requests - healthy <= 2


def _refreshed(provider: Provider, made: list[Thing]) -> int:
    """The requests that a refresh of these machines takes."""
    start = provider.parent.server.requests.snapshot()
    for thing in made:
        seen = provider.seen("machine", thing).values
        is_broken = "unreadable" in seen["os_disk"]
        assert is_broken or seen == thing.values
    return (provider.parent.server.requests.snapshot() - start).http


def test_a_blank_data_disk_whose_file_was_removed_is_made_anew_and_the_preview_says_so(provider: Provider) -> None:
    inputs = {"running": False, "data_disks": [{"size_gib": 5}, {"size_gib": 6}]}
    made = provider.create("machine", **inputs)
    files = provider.parent.host.state.files
    (path,) = [entry.path for entry in files.entries.values() if "-data1-" in entry.path]
    provider.parent.by_hand("Remove-Item", LiteralPath=path)
    seen = provider.seen("machine", made)
    first, second = made.values["data_disks"]
    assert seen.values == {**made.values, "data_disks": [{**first, "unreadable": path}, second]}
    assert provider.warnings[-1].startswith(f"the data disk at location 1 cannot be read: {path}. ")
    provider.warnings.clear()
    provider.diff("machine", seen, **inputs)
    (warning,) = provider.warnings
    assert "created again, empty" in warning
    assert provider.update("machine", seen, **inputs).values == made.values
    assert files.find(path) is not None


def test_a_data_disk_whose_image_is_gone_can_be_removed_from_the_program(provider: Provider) -> None:
    inputs = {"running": False, "data_disks": [{"parent": IMAGE}]}
    made = provider.create("machine", **inputs)
    _removed(provider)
    seen = provider.seen("machine", made)
    assert "remove it from the program" in provider.warnings[-1]
    with pytest.raises(RefusedError, match="the data disk at location 1 cannot be read"):
        provider.update("machine", seen, **inputs)
    without = provider.update("machine", seen, running=False)
    assert without.values["data_disks"] == []
    assert not [path for path in provider.parent.host.state.files.entries if "-data1-" in path]


def test_a_given_disk_whose_file_was_removed_is_reported_and_left_to_its_owner(provider: Provider) -> None:
    place(provider.parent.host.state.files, GIVEN)
    inputs = {"running": False, "data_disks": [{"path": GIVEN}]}
    made = provider.create("machine", **inputs)
    provider.parent.by_hand("Remove-Item", LiteralPath=GIVEN)
    seen = provider.seen("machine", made)
    assert seen.values["data_disks"] == [{**made.values["data_disks"][0], "unreadable": GIVEN}]
    before = provider.parent.snapshot()
    with pytest.raises(RefusedError, match="Put the file back"):
        provider.update("machine", seen, **inputs)
    assert provider.parent.snapshot() == before
