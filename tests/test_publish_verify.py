"""A judged model is published, verified and rolled back by the commands; whatever is changed afterwards is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from desk import NAME, Desk, desk, judged, loopback, project
from hub.server import READ
from hub.trial import old_files
from modelqa.publish.push import KEPT
from modelqa.publish.release_files import MANIFEST, NUMBERS, README, REPORT, WORDS
from modelqa.publish.replay import replay
from publishing import ROOT

from modelqa.checkpoint import open_checkpoint
from modelqa.errors import DataError

__all__ = ["desk", "judged", "loopback", "project"]


def test_what_was_published_is_what_was_judged_and_verifies(desk: Desk) -> None:
    desk.publish()
    files = desk.repository.files("main")
    for path in (desk.root / "checkpoints" / "tiny").glob("*.json"):
        if path.name in files:
            assert files[path.name] == sha256(path.read_bytes()).hexdigest()
    weights = (desk.root / "checkpoints" / "tiny" / "model.safetensors").read_bytes()
    assert files["model.safetensors"] == sha256(weights).hexdigest()
    assert {README, MANIFEST, NUMBERS, REPORT} <= set(files)
    downloaded = desk.download()  # what a later run compares with as its baseline is known by the same digest
    assert open_checkpoint(downloaded).digest == open_checkpoint(desk.root / "checkpoints" / "tiny").digest
    assert desk.run("verify", f"{NAME}@{desk.tag()}", "--replay", "3") == 0, desk.out
    assert "2 of 3 prompts asked again, 0 problem(s)" in desk.out  # the card shows no more


def test_a_reply_that_the_weights_do_not_give_is_found(desk: Desk) -> None:
    desk.publish()
    commit = desk.repository.resolve("main") or ""
    report = json.loads(desk.repository.content(desk.repository.tree(commit)[REPORT]))
    assert replay(desk.root / "checkpoints" / "tiny", report, 2) == (2, [])
    report["transcripts"][0]["reply_sha256"] = "0" * 64
    asked, problems = replay(desk.root / "checkpoints" / "tiny", report, 2)
    assert asked == 2 and [problem.code for problem in problems] == ["verify.replay"]


def test_publishing_the_same_again_changes_nothing(desk: Desk) -> None:
    desk.publish()
    before = desk.repository.git("for-each-ref").decode()
    desk.publish()
    after = desk.repository.git("for-each-ref").decode()
    assert "nothing to change" in desk.out
    assert [line for line in after.splitlines() if "import" not in line] == [
        line for line in before.splitlines() if "import" not in line
    ]
    assert len((desk.root / ".modelqa" / "releases.jsonl").read_text().splitlines()) == 1


def test_a_dry_run_shows_every_file_and_changes_nothing(desk: Desk) -> None:
    desk.put(old_files(desk.repository))
    refs = desk.repository.git("for-each-ref")
    assert desk.run("publish", "tiny", "--to", NAME, "--dry-run", "--adopt", "ours") == 0, desk.out
    lines = ("delete   pytorch_model.bin", "delete   model-00001-of-00002.safetensors", "change   README.md")
    more = ("add      model.safetensors", "kept     .gitattributes", "override of a head of acme/tiny")
    for line in (*lines, *more):
        assert line in desk.out
    assert desk.repository.git("for-each-ref") == refs
    assert all(call.name.split()[0] in ("GET", "HEAD") for call in desk.hub.faults.trace)


def test_unknown_files_are_replaced_only_when_they_are_adopted(desk: Desk) -> None:
    desk.put(old_files(desk.repository))
    head = desk.repository.resolve("main")
    assert desk.run("publish", "tiny", "--to", NAME) == 4
    assert "without a record of modelqa" in desk.out and desk.repository.resolve("main") == head
    desk.publish("--adopt", "our upload of last year")
    assert not {path for path in desk.repository.files("main") if path.endswith(".bin") or "-of-" in path}
    card = desk.repository.content(desk.repository.tree(desk.repository.resolve("main") or "")[README]).decode()
    assert "**Override**" in card and "our upload of last year" in card


def test_a_token_that_may_only_read_is_refused_and_never_shown(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.hub.repository(NAME)
    monkeypatch.setenv("HF_TOKEN", READ)
    assert desk.run("publish", "tiny", "--to", NAME) == 4
    assert "give a token that may write" in desk.out and READ not in desk.out
    monkeypatch.delenv("HF_TOKEN")
    assert desk.run("publish", "tiny", "--to", NAME) == 4 and "there is no token" in desk.out
    assert set(desk.repository.files("main")) == set(KEPT)


HOSTILE = [
    b"{",
    b"[" * 100_000,
    b"null",
    b'{"model": {}, "record": {}, "standing": {}, "files": [], "gates": []}',
    b'{"model": {}, "record": {}, "standing": {"overrides": [1]}, "files": [], "gates": [1]}',
    b'{"model": {}, "record": {}, "standing": {"overrides": []}, "files": [{}], "gates": [{"gate": 1, "status": 2}]}',
]


def test_a_hostile_report_at_the_head_counts_as_none(desk: Desk) -> None:
    for report in HOSTILE:
        desk.put({REPORT: report, "model.safetensors": b"weights"})
        assert desk.run("publish", "tiny", "--to", NAME, "--dry-run") == 4
        assert "without a record of modelqa" in desk.out


def test_a_hostile_report_is_verified_to_problems_and_asks_nothing_of_a_model(desk: Desk) -> None:
    desk.publish()
    released = desk.repository.resolve("main") or ""
    renderer = json.dumps(json.loads(desk.repository.content(desk.repository.tree(released)[REPORT]))["renderer"])
    shapes = [
        b'{"files": 3, "gates": 1, "eval_results": 5, "plots": [], "postmortems": {}, "standing": [], "renderer": 7}',
        b'{"files": [1], "plots": {"a": 1}, "postmortems": [2], "eval_results": [3], "standing": {"keep": 4}}',
        b'{"files": [{}], "plots": {}, "postmortems": [], "gates": [1], "metadata": 1, "renderer": %s}'
        % renderer.encode(),
        b'{"scale": {"parameters": 1e400}}',
    ]
    for report in (*HOSTILE, *shapes):
        desk.tamper(REPORT, lambda data, report=report: report)  # type: ignore[misc]
        assert desk.run("verify", NAME, "--replay", "1") == 1, report
        assert "verify." in desk.out
        desk.repository.git("update-ref", "refs/heads/main", released)


def test_a_report_whose_prompts_cannot_be_asked_again_is_one_clear_error(desk: Desk) -> None:
    desk.publish()
    report = json.loads(desk.repository.content(desk.repository.tree(desk.repository.resolve("main") or "")[REPORT]))
    for part, value in (("transcripts", [1]), ("settings", {"max_new_tokens": 10**9}), ("model", None), ("cases", 3)):
        with pytest.raises(DataError, match="no prompts that can be asked again"):
            replay(desk.root / "checkpoints" / "tiny", {**report, part: value}, 1)


def test_an_experiment_needs_its_postmortem(desk: Desk) -> None:
    desk.publish()
    head = desk.repository.resolve("main")
    assert desk.run("publish", "tiny", "--to", f"{NAME}-experimental", "--experimental") == 4
    assert "needs a postmortem" in desk.out
    assert desk.run("publish", "tiny", "--to", NAME, "--experimental") == 4
    assert "an experiment never replaces one" in desk.out and desk.repository.resolve("main") == head


def test_a_postmortem_about_another_model_does_not_carry_an_experiment(desk: Desk) -> None:
    for path in (ROOT / "cards" / "postmortems").rglob("letter-shortcut.*"):
        target = desk.root / "cards" / path.relative_to(ROOT / "cards")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(path.read_text())
    card = desk.root / "cards" / "tiny.md"
    card.write_text(card.read_text().replace("policy:", "postmortems: [letter-shortcut]\npolicy:", 1))
    suite = desk.root / "suites" / "behaviour" / "test_echoes.py"
    options = ("publish", "tiny", "--to", f"{NAME}-experimental", "--experimental", "--suites", str(ROOT / "suites"))
    assert desk.run(*options) == 4, suite
    assert "needs a postmortem of its own" in desk.out
    assert f"{NAME}-experimental" not in desk.hub.repositories


def test_a_path_of_the_keep_list_is_left_alone_shown_and_no_part_of_the_release(desk: Desk) -> None:
    desk.put({"notes.txt": b"a maintainer's notes", "old.txt": b"left behind"})
    card = desk.root / "cards" / "tiny.md"
    card.write_text(card.read_text().replace("margin: 0.1", "margin: 0.1\n  keep: [notes.txt]"))
    assert desk.run("publish", "tiny", "--to", NAME, "--dry-run", "--adopt", "ours") == 0, desk.out
    assert "kept     notes.txt" in desk.out and "delete   old.txt" in desk.out
    desk.publish("--adopt", "ours")
    assert "notes.txt" in desk.repository.files("main") and desk.run("verify", NAME) == 0, desk.out
    commit = desk.repository.resolve("main") or ""
    text = desk.repository.content(desk.repository.tree(commit)[README]).decode()
    assert "left as they were: `notes.txt`" in text
    desk.put({"other.txt": b"added"})
    assert desk.run("verify", NAME) == 1 and "verify.added at other.txt" in desk.out


def test_an_override_needs_a_reason_that_says_something(desk: Desk) -> None:
    desk.put(old_files(desk.repository))
    assert desk.run("publish", "tiny", "--to", NAME, "--adopt", "  ") == 4
    assert "without a record of modelqa" in desk.out


def test_an_edited_verdict_leaves_the_target_untouched(desk: Desk) -> None:
    desk.hub.repository(NAME)
    record = next((desk.root / ".modelqa" / "runs").rglob("run.json"))
    value = json.loads(record.read_text())
    value["gates"][0]["verdict"]["passed"] = value["gates"][0]["verdict"]["total"]
    record.write_text(json.dumps(value))
    assert desk.run("publish", "tiny", "--to", NAME) == 4
    assert "cannot be released" in desk.out and set(desk.repository.files("main")) == set(KEPT)


def other_record(data: bytes) -> bytes:
    """A report that says it is of other weights."""
    report = json.loads(data)
    for file in report["files"]:
        file["sha256"] = "0" * 64
    return json.dumps(report).encode()


def swapped_rows(data: bytes) -> bytes:
    """The card with two lines of words exchanged: no number moves."""
    lines = data.split(b"\n")
    at = lines.index(b"## Limitations")
    lines[at], lines[at + 2] = lines[at + 2], lines[at]
    return b"\n".join(lines)


CHANGES: dict[str, tuple[str, Callable[[bytes], bytes], set[str]]] = {
    "an edited number": (README, lambda data: data.replace(b"%", b"9%", 1), {"verify.number", "verify.rendered"}),
    "an edited word": (README, lambda data: data.replace(b"knows nothing", b"knows a lot"), {"verify.rendered"}),
    "edited words": (WORDS, lambda data: data.replace(b"nothing", b"a lot"), {"verify.changed", "verify.rendered"}),
    "another order": (README, swapped_rows, {"verify.rendered"}),
    "a swapped tensor byte": (
        "model.safetensors",
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        {"verify.changed", "verify.record"},
    ),
    "another template": ("chat_template.jinja", lambda data: data + b" ", {"verify.changed", "verify.record"}),
    "a stale config": ("config.json", lambda data: data.replace(b"{", b"{ ", 1), {"verify.changed", "verify.record"}),
    "another record": (REPORT, other_record, {"verify.changed", "verify.digest", "verify.record"}),
    "no record": (REPORT, lambda data: b"{", {"verify.changed", "verify.unreadable"}),
    "a key that stands twice": (
        REPORT,
        lambda data: data.replace(b"{", b'{"date": "2020-01-01",', 1),
        {"verify.changed", "verify.unreadable"},
    ),
    "no manifest": (MANIFEST, lambda data: b"[]", {"verify.unreadable"}),
    "another index": (
        NUMBERS,
        lambda data: data.replace(b'"rate"', b'"count"', 1),
        {"verify.changed", "verify.number"},
    ),
}


def test_a_changed_file_is_found(desk: Desk) -> None:
    desk.publish()
    released = desk.repository.resolve("main")
    assert released and desk.run("verify", NAME) == 0
    for what, (path, change, codes) in CHANGES.items():
        desk.tamper(path, change)
        assert desk.run("verify", NAME) == 1, what
        assert {line.split()[0] for line in desk.out.splitlines() if line.startswith("verify.")} >= codes, what
        desk.repository.git("update-ref", "refs/heads/main", released)


def test_missing_and_added_files_are_found(desk: Desk) -> None:
    desk.publish()
    desk.put({"pytorch_model.bin": b"a pickle"}, delete=("config.json",))
    assert desk.run("verify", NAME) == 1
    assert "verify.added at pytorch_model.bin" in desk.out and "verify.missing at config.json" in desk.out
    assert desk.run("verify", f"{NAME}@{desk.repository.refs('refs/tags').popitem()[0]}") == 0


def test_a_consistent_change_by_hand_is_found_by_its_commit(desk: Desk) -> None:
    desk.publish()
    desk.tamper(README, lambda data: data.replace(b"It knows nothing", b"It knows a lot"))
    assert desk.run("verify", NAME) == 1
    assert "verify.unreleased" in desk.out


def test_a_stale_file_of_an_earlier_release_is_found(desk: Desk) -> None:
    desk.publish()
    old = desk.repository.content(desk.repository.tree(desk.repository.resolve("main") or "")[NUMBERS])
    desk.write_card("It knows {{ scale.parameters | count }} numbers.")
    desk.publish()
    desk.tamper(NUMBERS, lambda data: old)
    assert desk.run("verify", NAME) == 1
    assert f"verify.changed at {NUMBERS}" in desk.out


def test_a_card_of_another_renderer_is_compared_number_by_number_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {"version": "0.0.9", "sha256": "0" * 64}
    with monkeypatch.context() as patched:
        patched.setattr("modelqa.publish.report.renderer", lambda: other)
        patched.setattr("modelqa.publish.agreement.renderer", lambda: other)
        desk.publish()
    assert desk.run("verify", NAME) == 0, desk.out
    assert "the card was not rendered again: modelqa 0.0.9" in desk.out
    desk.tamper(README, lambda data: data.replace(b"%", b"9%", 1))
    assert desk.run("verify", NAME) == 1
    assert "verify.number" in desk.out and "verify.rendered" not in desk.out


def test_a_moved_tag_is_found_by_the_ledger(desk: Desk) -> None:
    desk.publish()
    tag = desk.tag()
    desk.repository.git("update-ref", f"refs/tags/{tag}", desk.repository.log("main")[-1][0])
    assert desk.run("verify", f"{NAME}@{tag}") == 1
    assert "verify.tag_moved" in desk.out


def test_a_rollback_gives_the_branch_the_earlier_files_again(desk: Desk) -> None:
    desk.publish()
    first, files = desk.tag(), desk.repository.files("main")
    desk.write_card("It knows less than nothing.")
    desk.publish()
    assert desk.repository.files("main") != files
    desk.put({"stray.txt": b"left behind"})
    count = len(desk.repository.log("main"))
    assert desk.run("rollback", NAME, "--to", first, "--dry-run") == 0
    assert "delete   stray.txt" in desk.out and "restore  README.md" in desk.out
    assert len(desk.repository.log("main")) == count
    assert desk.run("rollback", NAME, "--to", first) == 0, desk.out
    assert desk.repository.files("main") == files
    assert desk.repository.git("rev-parse", "main^{tree}") == desk.repository.git("rev-parse", f"{first}^{{tree}}")
    assert desk.run("verify", NAME) == 0, desk.out
    assert desk.run("rollback", NAME, "--to", first) == 0
    assert len(desk.repository.log("main")) == count + 1


def test_a_rollback_takes_weights_that_another_release_replaced_from_the_hub_itself(desk: Desk) -> None:
    desk.publish()
    first = desk.tag()
    desk.tamper("model.safetensors", lambda data: data[:-1] + bytes([data[-1] ^ 1]))
    sent = [call for call in desk.hub.faults.trace if call.name == "PUT lfs object"]
    assert desk.run("rollback", NAME, "--to", first) == 0, desk.out
    assert [call for call in desk.hub.faults.trace if call.name == "PUT lfs object"] == sent
    assert desk.run("verify", NAME) == 0, desk.out


def test_a_rollback_to_nowhere_or_to_a_damaged_release_is_refused(desk: Desk) -> None:
    desk.publish()
    tag, head = desk.tag(), desk.repository.resolve("main")
    assert desk.run("rollback", NAME, "--to", tag[:-1]) == 4 and f"nearest: {tag}" in desk.out
    assert desk.run("rollback", NAME, "--to", "main") == 4 and "has no tag 'main'" in desk.out
    desk.tamper("config.json", lambda data: data + b"\n")
    desk.repository.tag("mine", desk.repository.resolve("main") or "", None)
    assert desk.run("rollback", NAME, "--to", "mine") == 4 and "is no sound release" in desk.out
    assert desk.repository.parents("main") == [head]


def test_bad_arguments_are_one_clear_error_each(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert desk.run("publish", "tiny") == 4 and "no repository to publish to" in desk.out
    assert desk.run("verify", "no-slash") == 4 and "the form ORG/NAME" in desk.out
    assert desk.run("verify", "acme/none") == 4 and "check the name" in desk.out
    assert desk.run("verify", NAME, "--token-file", str(tmp_path / "none")) == 4 and "cannot be read" in desk.out
    monkeypatch.setenv("HF_TOKEN", "two words")
    assert desk.run("verify", NAME) == 4 and "no token" in desk.out and "two words" not in desk.out
