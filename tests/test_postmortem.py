"""Postmortems: the shipped ones agree with their figures, and each rule refuses what breaks it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from modelqa.publish.postmortem import Figures, Postmortem, figures_path, read_figures, read_postmortem, table
from modelqa.publish.postmortem_check import agrees, problems
from modelqa.publish.suite import gate_names
from publishing import MODEL, inputs_of, judged, project, run_gates

from modelqa.errors import ModelqaError, ReleaseError, UsageError

__all__ = ["judged", "project"]  # fixtures
ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "cards" / "postmortems"
GATES = gate_names(ROOT / "suites")
STORY = FOLDER / "letter-shortcut.md"


def opened(path: Path = STORY) -> tuple[Postmortem, Figures]:
    return read_postmortem(path), read_figures(figures_path(path))


def codes(postmortem: Postmortem, figures: Figures) -> set[str]:
    return {problem.code for problem in problems(postmortem, figures, GATES)}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.md")), ids=lambda path: path.stem)
def test_a_shipped_postmortem_agrees_with_its_figures(path: Path) -> None:
    postmortem, figures = opened(path)
    assert problems(postmortem, figures, GATES) == []
    assert postmortem.status == "final"


def test_the_three_stories_are_there() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} >= {"format-bug", "model-was-fine", "letter-shortcut"}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.md")), ids=lambda path: path.stem)
def test_every_figure_of_a_result_table_is_compared(path: Path) -> None:
    """Changing any number of the result table is found."""
    postmortem, figures = opened(path)
    text = postmortem.body["Result table"]
    cells = list(re.finditer(r"(?<=\| )[-+]?\d[\d.,e-]*(?= \|)", text))
    assert len(cells) >= 5
    for cell in cells:
        body = {**postmortem.body, "Result table": text[: cell.start()] + "777.7" + text[cell.end() :]}
        assert "postmortem.number" in codes(replace(postmortem, body=body), figures), cell[0]


def with_text(heading: str, old: str, new: str) -> Postmortem:
    postmortem, _ = opened()
    assert old in postmortem.body[heading]
    return replace(postmortem, body={**postmortem.body, heading: postmortem.body[heading].replace(old, new, 1)})


@pytest.mark.parametrize(
    ("heading", "old", "new", "code"),
    [
        ("Decision", "36.9%", "39.6%", "postmortem.number"),
        ("Decision", "2.1 points", "1.2 points", "postmortem.number"),
        ("What we learned", "gained 4.0", "gained 4.4", "postmortem.number"),
        ("Detection", "from 3.175", "from 3.157", "postmortem.number"),
        ("Result table", "| 34.8 |", "| 38.4 |", "postmortem.number"),
        ("Result table", "| missing | 19.0 |", "| 2.5 | 19.0 |", "postmortem.number"),
        ("Result table", "| 2.990 | 34.8 |", "| missing | 34.8 |", "postmortem.number"),
        ("Result table", "| chat-long |", "| chat-longer |", "postmortem.run"),
        ("Result table", "| experimental |", "| canonical |", "postmortem.canonical"),
        ("Result table", "| canonical |", "| tried |", "postmortem.canonical"),
        ("Result table", "| run | role |", "| run | part |", "postmortem.table"),
        ("Action items", "| evaluation lead |", "| nobody |", "postmortem.owner"),
        ("Action items", "| detect |", "| wish |", "postmortem.actions"),
        ("Action items", "| owner |", "| who |", "postmortem.actions"),
        ("Timeline", "- step 5:", "- step 1:", "postmortem.timeline"),
        ("Timeline", "- step 5:", "- later:", "postmortem.timeline"),
        ("Impact", "No release", "TODO: no release", "postmortem.placeholder"),
    ],
)
def test_what_contradicts_the_figures_or_a_rule_is_named(heading: str, old: str, new: str, code: str) -> None:
    _, figures = opened()
    assert code in codes(with_text(heading, old, new), figures)


def test_an_action_of_type_detect_must_name_a_gate_that_exists() -> None:
    postmortem, figures = opened()
    actions = re.sub(r"`(\w+)`", r"`\1_of_old`", postmortem.body["Action items"])
    changed = replace(postmortem, body={**postmortem.body, "Action items": actions})
    assert codes(changed, figures) == {"postmortem.detection"}


def test_front_matter_names_runs_and_gates_that_exist() -> None:
    postmortem, figures = opened()
    assert "postmortem.gate" in codes(replace(postmortem, gates=("no_such_gate",)), figures)
    assert "postmortem.run" in codes(replace(postmortem, runs=("no-such-run",)), figures)
    missing = Figures({name: run for name, run in figures.runs.items() if name != "chat-v5"})
    assert "postmortem.run" in codes(postmortem, missing)


@pytest.mark.parametrize(
    ("stated", "value", "same"),
    [
        ("36.9", 36.94, True), ("36.9", 36.96, False), ("36.9%", 0.369, True), ("37%", 0.369, True),
        ("36%", 0.369, False), ("5e-5", 0.00005, True), ("5e-5", 0.00006, False), ("−3.36", -3.36, True),
        ("+2.04", 2.04, True), ("1,500", 1500, True), ("10", 10.06, True), ("0.0", 0.0, True), ("50%", 50, True),
    ],
)  # fmt: skip
def test_numbers_agree_to_the_precision_that_is_printed(stated: str, value: float, same: bool) -> None:
    assert agrees(stated, value) is same


@pytest.mark.parametrize(
    ("old", "new", "fact"),
    [
        ("## Impact\n", "## Effects\n", "unknown section 'Effects'"),
        ("## Sources\n", "## Summary\n", "two sections 'Summary'"),
        ("status: final", "status: done", "status 'done'"),
        ("id: letter-shortcut", "id: other", "the id 'other'"),
        ("date: 2026-05-03", "date: yesterday", "the date 'yesterday'"),
        ("models: [chat-v3, chat-v5]", "models: chat-v3", "models that are no list"),
        ("gates:", "gate:", "unknown key 'gate'"),
        ("---\nid", "id", "no front matter"),
    ],
)
def test_a_malformed_postmortem_is_one_clear_error(tmp_path: Path, old: str, new: str, fact: str) -> None:
    text = STORY.read_text()
    assert old in text
    path = tmp_path / STORY.name
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(UsageError, match=re.escape(fact)):
        read_postmortem(path)


def test_a_section_that_holds_a_comment_alone_is_empty(tmp_path: Path) -> None:
    path = tmp_path / STORY.name
    path.write_text(
        re.sub(r"## Impact\n.*?(?=## Timeline)", "## Impact\n\n<!-- who? -->\n\n", STORY.read_text(), flags=re.S)
    )
    with pytest.raises(UsageError, match="empty section 'Impact'"):
        read_postmortem(path)


def test_yaml_that_would_fill_the_memory_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / STORY.name
    path.write_text("---\na: &a [x, x]\nb: *a\n---\n## Summary\nx\n")
    with pytest.raises(UsageError, match="aliases"):
        read_postmortem(path)


@pytest.mark.parametrize("text", ["[]", '{"runs": []}', '{"runs": {"a": 3}}', "{", '{"facts": {}}'])
def test_malformed_figures_are_one_clear_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(ModelqaError):
        read_figures(path)


def test_a_table_is_read_without_its_marks() -> None:
    keys, rows = table("words\n\n| Run | Learning rate |\n|---|:--:|\n| **`a`** | 5e-5 |\n| b | `x` or `y` |\n")
    assert keys == ["run", "learning_rate"]
    assert rows == [{"run": "a", "learning_rate": "5e-5"}, {"run": "b", "learning_rate": "`x` or `y`"}]


def test_a_new_postmortem_is_drafted_from_two_records_and_refused_until_it_is_filled(project: Path) -> None:
    first = inputs_of(project).stored.path
    assert run_gates(project, "--modelqa-case-seed", "5").returncode == 0
    (project / "suites" / "phases.toml").write_text(
        (project / "suites" / "phases.toml").read_text().replace("0.70", "0.99")
    )
    run_gates(project)
    second = inputs_of(project).stored.path
    command = [sys.executable, "-m", "modelqa", "postmortem"]
    done = subprocess.run([*command, "new", first, second, "--id", "fell"], cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    draft = project / "cards" / "postmortems" / "fell.md"
    text = draft.read_text()
    assert "`echo`: PASS 57 of 60" in text.replace("\n", " ") or re.search(r"`echo`: PASS \d+ of 60", text)
    assert "suite: phases&#46;toml differ" in text
    check = subprocess.run([*command, "check"], cwd=project, capture_output=True, text=True)
    assert check.returncode == 4 and "has an empty section 'Summary'" in check.stderr
    again = subprocess.run(
        [*command, "new", first, second, "--id", "fell"], cwd=project, capture_output=True, text=True
    )
    assert again.returncode == 4 and "exists" in again.stderr and draft.read_text() == text


def test_the_table_and_differences_of_a_draft_agree_with_its_figures(project: Path) -> None:
    from modelqa.publish.postmortem_new import draft

    stored = inputs_of(project).stored
    gates = list(stored.run.gates)
    gates[0] = replace(gates[0], verdict=replace(gates[0].verdict, passed=50))
    text, figures = draft("x", ("a", stored.run), ("b", replace(stored.run, gates=tuple(gates))), day="2026-01-01")
    path = project / "cards" / "postmortems" / "x.md"
    filled = re.sub(r"<!--.*?-->", "words", text).replace("- words", "words").replace('title: ""', "title: T")
    path.write_text(filled)
    figures_path(path).parent.mkdir()
    figures_path(path).write_text(json.dumps(figures))
    found = {problem.code for problem in problems(read_postmortem(path), read_figures(figures_path(path)), {"echo"})}
    assert found == {"postmortem.timeline", "postmortem.actions"}


def test_a_release_with_a_postmortem_that_contradicts_its_figures_is_refused(project: Path) -> None:
    from modelqa.publish.report import Standing
    from modelqa.publish.stage import stage

    folder = project / "cards" / "postmortems"
    (folder / "records").mkdir()
    text = STORY.read_text().replace("regression_collapse", "echo").replace("regression_basic", "echo")
    (folder / STORY.name).write_text(text.replace("echo_collapse", "differ"))
    (folder / "records" / "letter-shortcut.json").write_text(figures_path(STORY).read_text())
    card = project / "cards" / f"{MODEL}.md"
    card.write_text(card.read_text().replace("transcripts: 2", "transcripts: 2\npostmortems: [letter-shortcut]"))
    release = stage(inputs_of(project), suites=project / "suites", standing=Standing("canonical", "First."))
    assert "modelqa/postmortems/letter-shortcut.md" in release.by_path
    readme = release.by_path["README.md"].content().decode()
    assert "(modelqa/postmortems/letter-shortcut.md)" in readme and "36&#46;9%" in readme

    (folder / STORY.name).write_text((folder / STORY.name).read_text().replace("36.9%", "39.6%"))
    with pytest.raises(ReleaseError, match=r"the postmortem letter-shortcut\.md cannot ship"):
        inputs_of(project)
