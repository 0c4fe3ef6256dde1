"""The tests' own way to the CLI: what it reports of an operation is what the CLI did."""

import subprocess
from pathlib import Path

import interrupted
import lab as labs
import pytest
from lab import Lab, NewLab, UnexpectedChangesError, UnexpectedExitError

GREETING = """
import pulumi
config = pulumi.Config()
pulumi.export("greeting", f"hello {config.require('who')}")
pulumi.export("secret", config.require_secret("word"))
pulumi.ComponentResource("test:index:Hall", "hall")
"""

COUNTER = """
from pulumi import dynamic

class Counter(dynamic.ResourceProvider):
    serialize_as_secret_always = False

    def create(self, props):
        return dynamic.CreateResult("1", props)

    def diff(self, _id, olds, news):
        replaces = ["start"] if olds["start"] != news["start"] else []
        return dynamic.DiffResult(changes=bool(replaces) or olds["step"] != news["step"], replaces=replaces)

    def update(self, _id, olds, news):
        return dynamic.UpdateResult(news)

    def read(self, id_, props):
        inputs = {{"start": props["start"], "step": 9 if props["step"] == 2 else props["step"]}}
        return dynamic.ReadResult(id_, {{**inputs, "seen": 1}}, inputs)

class Count(dynamic.Resource, module="test", name="Count"):
    pass

Count(Counter(), "counter", {{"start": {start}, "step": {step}}})
"""


@pytest.fixture
def greeting(new_lab: NewLab) -> Lab:
    lab = new_lab(GREETING)
    lab.config("who", "-host-")
    lab.config("word", "sesame", secret=True)
    return lab


def test_a_stack_goes_up_seals_its_secrets_previews_empty_and_comes_down(greeting: Lab) -> None:
    up = greeting.up()
    assert up.changes == {"create": 2}
    assert up.steps == {"hall": ["create"]}
    assert "+ 2 created" in up.text
    assert greeting.outputs() == {"greeting": "hello -host-", "secret": "sesame"}
    assert "sesame" not in str(greeting.state())
    assert greeting.preview("--expect-no-changes").changes == {"same": 2}
    assert greeting.refresh().changes == {"same": 2}
    assert greeting.destroy().changes == {"delete": 2}
    assert not greeting.state().get("resources")


def test_a_failing_program_is_reported_with_its_text_and_its_errors(greeting: Lab) -> None:
    greeting.write("raise ValueError('no such lab')")
    failed = greeting.preview(fails=True)
    assert failed.code
    assert any("no such lab" in message for message in failed.messages("error"))


def test_a_command_that_fails_or_works_unexpectedly_is_reported_with_what_it_printed(greeting: Lab) -> None:
    with pytest.raises(UnexpectedExitError, match="configuration key 'whom' not found"):
        greeting.run("config", "get", "whom")
    with pytest.raises(UnexpectedExitError, match="exit code 0\n-host-"):
        greeting.run("config", "get", "who", fails=True)


def test_a_command_that_takes_too_long_is_ended_with_all_that_it_has_started(
    new_lab: NewLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = new_lab("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(labs, "SECONDS_AT_MOST", 10)
    monkeypatch.setattr(labs, "SECONDS_TO_CANCEL", 0)
    with pytest.raises(subprocess.TimeoutExpired):
        lab.up()
    assert interrupted.working_on(tmp_path / "backend") == []


def test_what_an_operation_changes_is_known_by_property(new_lab: NewLab) -> None:
    lab = new_lab(COUNTER.format(start=1, step=1))
    lab.up()
    with pytest.raises(UnexpectedChangesError, match="seen"):
        lab.expect_no_changes()
    lab.write(COUNTER.format(start=1, step=2))
    assert lab.preview().diff == {"counter": {"step"}}
    up = lab.up()
    assert (up.steps, up.diff) == ({"counter": ["update"]}, {"counter": {"step"}})
    refresh = lab.refresh()
    assert (refresh.steps, refresh.diff) == ({"counter": ["update"]}, {"counter": {"step", "seen"}})
    lab.write(COUNTER.format(start=5, step=2))
    assert set(lab.up().steps["counter"]) == {"create-replacement", "replace", "delete-replaced"}
