"""Whatever happens to a call, the branch is the old or the new release, and the next run finishes or says why not.

The schedules that are here are a sample; `make test-publish` runs all of them (tests/hub/matrix.py). The client is the
real one against the loopback Hub of tests/hub; only its pauses between retries are left out.
"""

from __future__ import annotations

import subprocess

import pytest
from hub import mutants
from hub.faults import Call, Fault
from hub.matrix import Schedule, schedules, xet_is_possible
from hub.publishers import Publisher, Variant
from hub.trial import Trial, run_schedule

COMMIT = Call("POST commit")
STAGE = Call("POST commit of a pull request")
TENSORS = Call("PUT lfs object")


@pytest.fixture(scope="module")
def xet() -> bool:
    """Whether the second storage mode can be tested here; the tests of it are skipped with the reason else."""
    if reason := xet_is_possible():
        pytest.skip(reason)
    return True


SAMPLE = [
    (Fault(COMMIT, "drop", after=True), "published"),
    (Fault(COMMIT, "500", after=True), "published"),
    (Fault(COMMIT, "drop"), "refused"),
    (Fault(COMMIT, "403"), "refused"),
    (Fault(COMMIT, "kill", after=True), "killed"),
    (Fault(STAGE, "drop", after=True), "refused"),
    (Fault(Call("GET resolve README.md"), "corrupt"), "refused"),
    (Fault(Call("GET tree", 1), "slow"), "published"),
    (Fault(Call("POST tag"), "drop", after=True), "published"),
]


@pytest.mark.parametrize(("fault", "how"), SAMPLE, ids=str)
def test_a_fault_leaves_the_old_or_the_new_release(fault: Fault, how: str) -> None:
    outcome = run_schedule(fault, xet=False)
    assert not outcome.wrong
    assert outcome.first.how == how, outcome.first.text
    assert outcome.following and outcome.following.how in ("published", "unchanged")


def test_a_damaged_upload_never_reaches_the_branch() -> None:
    outcome = run_schedule(Fault(TENSORS, "corrupt"), xet=False)
    assert not outcome.wrong
    assert "model.safetensors came back with other bytes than were sent" in outcome.first.text


@pytest.mark.parametrize("fault", [Fault(COMMIT, "drop", after=True), Fault(STAGE, "kill", after=True)], ids=str)
def test_a_fault_in_the_other_storage_mode(xet: bool, fault: Fault) -> None:
    assert not run_schedule(fault, xet=xet).wrong


def test_a_commit_in_between_starts_again_from_the_policy() -> None:
    outcome = run_schedule(None, xet=False, between=COMMIT)
    assert not outcome.wrong
    assert outcome.first.how == "published" and len(outcome.first.heads) == 2


def test_a_full_disk_is_one_clear_refusal() -> None:
    outcome = run_schedule(None, xet=False, space=600)
    assert not outcome.wrong and outcome.first.how == "refused"
    assert "free some space" in outcome.first.text


@pytest.mark.parametrize(
    ("mutant", "schedule"),
    [
        (mutants.no_parent_commit, Schedule(False, between=COMMIT)),
        (mutants.blind_retry, Schedule(False, between=COMMIT)),
        (mutants.blind_staging, Schedule(False, Fault(STAGE, "drop", after=True))),
        (mutants.no_read_back, Schedule(False, Fault(TENSORS, "corrupt"))),
        (mutants.merge, Schedule(False, between=Call("POST discussion merge"))),
        (mutants.no_tag, Schedule(False, Fault(Call("GET tree", 1), "500"))),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_publisher_that_is_wrong_on_purpose_is_found_out(mutant: Variant, schedule: Schedule) -> None:
    outcome = run_schedule(schedule.fault, xet=False, between=schedule.between, variant=mutant)
    assert outcome.wrong and "never fired" not in " ".join(outcome.wrong)


def test_of_racing_publishers_each_finishes_or_is_refused_and_no_two_mix() -> None:
    versions = ("one", "two", "three")
    with Trial() as trial:
        for version in versions:
            trial.release(version)
        publishers = [Publisher(trial.settings(version=version)) for version in versions]
        endings = [publisher.ending() for publisher in publishers]
        trial.heads = [head for ending in endings for head in ending.heads]
        assert {ending.how for ending in endings} <= {"published", "refused"}
        assert not trial.mixed_states(versions)
        for version, ending in zip(versions, endings, strict=True):
            if ending.how == "published":
                assert not trial.unfinished(version)
        assert any(ending.how == "published" for ending in endings)


def test_the_hubs_repository_is_sound_after_a_release() -> None:
    with Trial() as trial:
        assert trial.publish().how == "published"
        done = subprocess.run(["git", f"--git-dir={trial.repository.path}", "fsck", "--strict"], capture_output=True)
        assert done.returncode == 0, done.stderr


def test_there_are_more_schedules_than_were_promised() -> None:
    planned = schedules(xet=False)
    assert len(planned) >= 300
    kinds = {schedule.kind for schedule in planned}
    assert kinds >= {"drop", "slow", "kill", "412", "truncate", "corrupt", "third party", "disk full here"}
