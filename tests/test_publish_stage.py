"""Staging: a release is the judged files and what is derived from them, or a refusal with its reason and remedy."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from modelqa.publish.card import differences, read_index, report_digest
from modelqa.publish.inputs import open_inputs
from modelqa.publish.lint import metadata_of
from modelqa.publish.manifest import read_manifest
from modelqa.publish.records import open_run
from modelqa.publish.release_files import Release, ReleaseFile
from modelqa.publish.report import Standing
from modelqa.publish.stage import stage
from publishing import MODEL, inputs_of, judged, project, run_gates

from modelqa.errors import CheckpointError, ModelqaError, RecordError, ReleaseError, UsageError
from modelqa.files import canonical_json, write_json
from modelqa.record import Run

__all__ = ["judged", "project"]  # fixtures
STANDING = Standing("canonical", "The first release.", "org/tiny", "org/tiny-experimental")
TOKEN = "hf_" + "aB3" * 12


def staged(root: Path, standing: Standing = STANDING) -> Release:
    return stage(inputs_of(root), suites=root / "suites", standing=standing)


def record_of(root: Path) -> Path:
    return inputs_of(root).stored.path


def test_a_release_is_the_judged_files_and_what_is_derived_from_them(project: Path) -> None:
    release = staged(project)
    paths = {file.path for file in release.files}
    folder = project / "checkpoints" / MODEL
    own = {"config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    assert paths - {path for path in paths if path.startswith("modelqa/plots/")} == {
        *own, "chat_template.jinja", "README.md",
        "modelqa/report.json", "modelqa/numbers.json", "modelqa/manifest.json", "modelqa/words.md",
    }  # fmt: skip
    for file in release.files:
        assert hashlib.sha256(file.content()).hexdigest() == file.sha256 and len(file.content()) == file.size
    assert release.by_path["model.safetensors"].content() == (folder / "model.safetensors").read_bytes()


def test_report_card_manifest_and_index_fit_each_other(project: Path) -> None:
    files = {file.path: file.content() for file in staged(project).files}
    report = json.loads(files["modelqa/report.json"])
    card = files["README.md"].decode()
    manifest = read_manifest(json.loads(files["modelqa/manifest.json"]))
    assert set(manifest) == set(files) - {"README.md", "modelqa/manifest.json"}
    assert all(manifest[path] == (len(files[path]), hashlib.sha256(files[path]).hexdigest()) for path in manifest)
    assert hashlib.sha256(files["modelqa/manifest.json"]).hexdigest() in card
    metadata = metadata_of(card)
    assert metadata is not None and metadata["modelqa"] == {"role": "canonical", "report": report_digest(report)}
    assert differences(card, report, read_index(json.loads(files["modelqa/numbers.json"]))) == []


def test_staging_twice_gives_the_same_release_also_after_another_run_from_the_cache(project: Path) -> None:
    first = staged(project)
    assert run_gates(project).returncode == 0
    assert staged(project).id == first.id


def test_what_ships_holds_no_path_host_or_whole_case_set(project: Path) -> None:
    report = json.loads(staged(project).by_path["modelqa/report.json"].content())
    text = json.dumps(report)
    assert str(project) not in text and "/tmp" not in text and "checkpoints" not in text
    cases = (project / "suites" / "behaviour" / "echo.jsonl").read_text().splitlines()
    shown = sum(json.dumps(json.loads(row)["prompt"])[1:-1] in text for row in cases)
    assert shown == 2, "two transcripts a gate, as the card's source says"
    assert report["cases"] == []


def test_whole_cases_ship_by_opt_in_of_the_gate(project: Path) -> None:
    card = project / "cards" / f"{MODEL}.md"
    card.write_text(card.read_text().replace("transcripts: 2", "transcripts: 0\nfull_text: [echo]"))
    report = json.loads(staged(project).by_path["modelqa/report.json"].content())
    assert len(report["cases"]) == 60 and report["transcripts"] == []


# -- refusals --------------------------------------------------------------------------------------------------------


def edit_record(root: Path, change: Callable[[dict], None], *, listed: bool = False) -> None:  # type: ignore[type-arg]
    """Change run.json by hand; `listed` also writes the new digest into the history, as a forger would."""
    path = record_of(root)
    value = json.loads(path.read_text())
    change(value)
    write_json(path, value)
    if listed:
        history = root / ".modelqa" / "history.jsonl"
        row = json.loads(history.read_text().splitlines()[-1]) | {"digest": Run.from_json(value).digest}
        history.write_text(canonical_json(row) + "\n")


def gate_of(value: dict, name: str) -> dict:  # type: ignore[type-arg]
    return next(gate for gate in value["gates"] if gate["gate"] == name)


def some_fail(value: dict) -> None:  # type: ignore[type-arg]
    gate = gate_of(value, "echo")
    for case in list(gate["outcomes"])[:30]:
        gate["outcomes"][case] = "no"


def fewer(value: dict) -> None:  # type: ignore[type-arg]
    gate_of(value, "echo")["verdict"] |= {"passed": 60, "total": 60}


def lower_threshold(value: dict) -> None:  # type: ignore[type-arg]
    gate_of(value, "echo")["verdict"]["threshold"] = 0.1


def hide(value: dict) -> None:  # type: ignore[type-arg]
    gate_of(value, "echo")["verdict"] |= {"status": "NOT ASKED", "code": "informational"}


def drop_outcomes(value: dict) -> None:  # type: ignore[type-arg]
    gate_of(value, "echo")["outcomes"] = {}


def drop_failing_cases(value: dict) -> None:  # type: ignore[type-arg]
    gate = gate_of(value, "echo")
    kept = {case: found for case, found in gate["outcomes"].items() if found == "yes"}
    gate["outcomes"] = kept
    numbers = {"passed": len(kept), "total": len(kept)}
    gate["verdict"] |= numbers | {"lower": 0.95, "upper": 1.0, "clustered": 0.95}


def invent_cases(value: dict) -> None:  # type: ignore[type-arg]
    gate_of(value, "echo")["outcomes"] |= {f"made-up-{number}": "yes" for number in range(9)}


def pass_of_nothing(value: dict) -> None:  # type: ignore[type-arg]
    gate = gate_of(value, "echo")
    gate["outcomes"] = {}
    gate["verdict"] |= {"passed": 0, "total": 0, "lower": None, "upper": None, "clustered": None, "families": 0,
                        "threshold": None}  # fmt: skip


def other_thresholds(value: dict) -> None:  # type: ignore[type-arg]
    value["thresholds"]["bars"]["echo/chat"] = 0.1


def drop_gate(value: dict) -> None:  # type: ignore[type-arg]
    value["gates"] = [gate for gate in value["gates"] if gate["gate"] != "echo"]
    value["plan"].remove("echo")


def toothless(value: dict) -> None:  # type: ignore[type-arg]
    gate_of(value, "echo")["nulls"]["parrot"] = 1.0


def other_phase(value: dict) -> None:  # type: ignore[type-arg]
    value["model"]["phase"] = "later"


def deselect(value: dict) -> None:  # type: ignore[type-arg]
    value["selection"] = value["selection"][1:]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (some_fail, "release.gate at echo"),
        (fewer, "release.verdict at echo"),
        (lower_threshold, "release.threshold at echo"),
        (hide, "release.gate at echo"),
        (drop_outcomes, "release.outcomes at echo"),
        (drop_failing_cases, "release.cases at echo"),
        (invent_cases, "release.cases at echo: made-up-0 has the outcome yes, and no reply was kept"),
        (pass_of_nothing, "release.outcomes at echo"),
        (other_thresholds, "release.bars at thresholds"),
        (drop_gate, "release.not_planned at behaviour/test_echoes.py::test_echo"),
        (toothless, "release.gate at echo: INCONCLUSIVE (toothless)"),
        (other_phase, "release.phase at tiny"),
        (deselect, "release.deselected"),
    ],
)
def test_an_edited_record_is_judged_again_and_refused(
    project: Path,
    change: Callable[[dict], None],
    code: str,  # type: ignore[type-arg]
) -> None:
    edit_record(project, change, listed=True)
    with pytest.raises(ReleaseError) as refused:
        staged(project)
    assert code in refused.value.reason


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"passed": ', '"passed": NaN, "was": '),
        ('"schema": 1', '"schema": 1, "schema": 1'),
        ('"total": ', '"total": 1e999, "was": '),
    ],
    ids=["NaN", "a key twice", "no finite number"],
)
def test_a_record_that_readers_could_read_in_two_ways_is_refused(project: Path, old: str, new: str) -> None:
    path = record_of(project)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(RecordError, match="cannot be read"):
        open_run(path)


def test_a_run_beside_a_weaker_baseline_than_the_declared_one_is_refused(project: Path) -> None:
    inputs = inputs_of(project)
    declaring = replace(inputs, model=replace(inputs.model, baseline="strong"))
    for beside in ({}, {"baseline": {"name": "weak", "checkpoint": "w"}}):
        stored = replace(inputs.stored, run=replace(inputs.stored.run, controls=beside))
        with pytest.raises(ReleaseError, match=r"release\.baseline at tiny: laid beside (nothing|weak)"):
            stage(replace(declaring, stored=stored), suites=project / "suites", standing=STANDING)
    release = stage(replace(declaring, stored=stored), suites=project / "suites", standing=STANDING, beside=("", "w"))
    assert release.name == MODEL


def test_a_waiver_without_a_reason_waives_nothing(project: Path) -> None:
    def no_evidence(value: dict) -> None:  # type: ignore[type-arg]
        gate_of(value, "tied")["verdict"] |= {"status": "INCONCLUSIVE", "code": "no_evidence", "text": "nothing"}

    edit_record(project, no_evidence, listed=True)
    inputs = inputs_of(project)
    for reason in ("", "  "):
        with pytest.raises(ReleaseError, match=r"release\.gate at tied: INCONCLUSIVE"):
            waiving = replace(inputs, model=replace(inputs.model, waivers={"tied": reason}))
            stage(waiving, suites=project / "suites", standing=STANDING)
    waiving = replace(inputs, model=replace(inputs.model, waivers={"tied": "its makers say that it is"}))
    card = stage(waiving, suites=project / "suites", standing=STANDING).by_path["README.md"].content().decode()
    assert "Waived: `tied`, because its makers say that it is" in card


def test_a_failed_gate_cannot_be_waived(project: Path) -> None:
    def fails(value: dict) -> None:  # type: ignore[type-arg]
        gate_of(value, "tied")["verdict"] |= {"status": "FAIL", "code": "weights.untied", "text": "untied"}

    edit_record(project, fails, listed=True)
    inputs = inputs_of(project)
    with pytest.raises(ReleaseError, match=r"release\.gate at tied: FAIL"):
        waiving = replace(inputs, model=replace(inputs.model, waivers={"tied": "never mind"}))
        stage(waiving, suites=project / "suites", standing=STANDING)


@pytest.mark.parametrize("name", ["../tiny", "ti\u202eny", "tiny\nparent: x", "ti ny", "-tiny", "tіny"])
def test_a_name_that_is_no_files_and_no_commits_is_refused(project: Path, name: str) -> None:
    registry = project / "models.toml"
    registry.write_text(registry.read_text().replace("[models.tiny]", f"[models.{json.dumps(name)}]"))
    with pytest.raises(UsageError, match="is no name for a release") as refused:
        open_inputs(name, cards=project / "cards", registry=registry, home=project / ".modelqa")
    assert "\u202e" not in str(refused.value) and "\nparent" not in str(refused.value)


def test_a_failed_run_with_its_verdicts_edited_to_pass_is_refused(project: Path) -> None:
    suite = project / "suites" / "behaviour" / "echo.jsonl"
    rows = [json.loads(line) for line in suite.read_text().splitlines()]
    suite.write_text("".join(json.dumps({**row, "expect": "never"}) + "\n" for row in rows))
    assert run_gates(project).returncode == 1

    def passes(value: dict) -> None:  # type: ignore[type-arg]
        gate_of(value, "echo")["verdict"] |= {"status": "PASS", "code": "", "locus": "", "text": ""}

    edit_record(project, passes, listed=True)
    with pytest.raises(ReleaseError) as refused:
        staged(project)
    assert "release.gate at echo: FAIL (echo.below)" in refused.value.reason
    assert "release.verdict at echo" in refused.value.reason


def test_a_record_that_the_history_does_not_list_is_refused(project: Path) -> None:
    edit_record(project, lambda value: value["notes"].append("a word"))
    with pytest.raises(ReleaseError, match=r"release\.unknown_record") as refused:
        staged(project)
    assert "run the gates again" in refused.value.remedy


def test_a_run_from_kept_replies_alone_is_refused_with_the_option_that_asks_anew(project: Path) -> None:
    history = project / ".modelqa" / "history.jsonl"
    history.write_text(history.read_text().replace('"exercised":true', '"exercised":false'))
    with pytest.raises(ReleaseError, match=r"release\.cached") as refused:
        staged(project)
    assert "--modelqa-release" in refused.value.remedy


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json", "chat_template.jinja", "config.json"])
def test_one_changed_byte_of_any_judged_file_is_another_checkpoint(project: Path, file: str) -> None:
    path = project / "checkpoints" / MODEL / file
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]) if file == "model.safetensors" else data + b"\n")
    with pytest.raises(RecordError, match="the record of another checkpoint") as refused:
        staged(project)
    assert file in refused.value.reason


def test_a_file_that_changes_after_staging_is_noticed_when_it_is_read(project: Path) -> None:
    release = staged(project)
    path = project / "checkpoints" / MODEL / "tokenizer.json"
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(CheckpointError, match="changed after it was staged"):
        release.by_path["tokenizer.json"].content()


@pytest.mark.parametrize("file", ["phases.toml", "behaviour/test_echoes.py", "behaviour/echo.jsonl"])
def test_a_changed_suite_is_refused(project: Path, file: str) -> None:
    path = project / "suites" / file
    path.write_text(path.read_text() + "\n")
    with pytest.raises(ReleaseError, match=f"release.suite at {file}"):
        staged(project)


def test_a_selected_part_of_the_suites_is_refused(project: Path) -> None:
    assert run_gates(project, "-k", "echo and not printed", "--modelqa-release").returncode in (0, 6)
    with pytest.raises(ReleaseError, match=r"release\.deselected"):
        staged(project)


def test_a_folder_that_models_toml_does_not_name_is_refused(project: Path) -> None:
    inputs = inputs_of(project)
    bare = replace(inputs, model=replace(inputs.model, declared=False))
    with pytest.raises(ReleaseError, match=r"release\.undeclared"):
        stage(bare, suites=project / "suites", standing=STANDING)


def test_damaged_replies_are_refused(project: Path) -> None:
    replies = record_of(project).parent / "replies.jsonl.zst"
    replies.write_bytes(replies.read_bytes()[:-3])
    with pytest.raises(RecordError, match="is not the file of this record"):
        staged(project)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("optimizer.pt", b"PK\x03\x04", "card.pickle at optimizer.pt"),
        ("pytorch_model.bin", b"\x80\x02", "card.pickle at pytorch_model.bin"),
        (".env", b"A=b", "card.secret at .env"),
        ("LICENSE", b"MIT License\n\nPermission is hereby granted", "card.licence_differs at LICENSE"),
    ],
)
def test_what_must_not_lie_beside_the_model_is_refused(project: Path, name: str, content: bytes, code: str) -> None:
    (project / "checkpoints" / MODEL / name).write_bytes(content)
    with pytest.raises(ReleaseError) as refused:
        staged(project)
    assert code in refused.value.reason


def test_a_planted_token_is_refused_and_never_printed(project: Path) -> None:
    card = project / "cards" / f"{MODEL}.md"
    card.write_text(card.read_text() + f"\nAsk with {TOKEN} for more.\n")
    with pytest.raises(ModelqaError) as refused:
        staged(project)
    assert "Hugging Face token" in str(refused.value) and TOKEN not in str(refused.value)


def test_a_link_out_of_the_folder_is_refused(project: Path) -> None:
    path = project / "checkpoints" / MODEL / "tokenizer.json"
    shutil.move(path, project / "elsewhere.json")
    path.symlink_to(project / "elsewhere.json")
    with pytest.raises(CheckpointError, match="leads out of its folder"):
        staged(project)


def test_a_licence_that_is_a_link_out_of_the_folder_is_refused(project: Path) -> None:
    (project / "secret.txt").write_text("MIT License")
    (project / "checkpoints" / MODEL / "LICENSE").symlink_to(project / "secret.txt")
    with pytest.raises(CheckpointError, match="leads out of its folder"):
        staged(project)


def test_a_licence_of_its_own_ships_with_its_text_or_is_refused(project: Path) -> None:
    card = project / "cards" / f"{MODEL}.md"
    own = "license: other\nlicense_name: ours\nlicense_link: LICENSE"
    card.write_text(card.read_text().replace("license: apache-2.0", own))
    with pytest.raises(ReleaseError, match=r"card\.licence_missing at LICENSE"):
        staged(project)
    (project / "checkpoints" / MODEL / "LICENSE").write_text("You may look at it.")
    assert staged(project).by_path["LICENSE"].content() == b"You may look at it."


def test_a_refusal_is_three_plain_lines_whatever_the_record_says(project: Path) -> None:
    def hostile(value: dict) -> None:  # type: ignore[type-arg]
        gate_of(value, "differ")["verdict"] |= {
            "status": "FAIL",
            "code": "\x1b[31m::error",
            "text": "\x1b]0;x\x07\n::x",
        }

    edit_record(project, hostile, listed=True)
    with pytest.raises(ReleaseError) as refused:
        staged(project)
    assert "\x1b" not in str(refused.value) and "\n::" not in str(refused.value)


def test_two_files_of_one_path_are_no_release() -> None:
    file = ReleaseFile.of("a", b"x")
    with pytest.raises(ValueError, match="one path"):
        Release.of([file, file], name="m", record="")
    one, two = (Release.of([ReleaseFile.of("a", data)], name="m", record="") for data in (b"x", b"y"))
    assert one.id != two.id and one.id == Release.of([file], name="other", record="").id
