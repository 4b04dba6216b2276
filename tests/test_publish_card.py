"""The card: every number is a reference into the report, and no reply leaves its cell."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from modelqa.publish import card
from modelqa.publish.card import differences, render
from modelqa.publish.lint import metadata_of
from modelqa.publish.numbers import NUMBER, mark, resolve
from modelqa.publish.report import Standing, make_report
from publishing import MODEL, inputs_of, judged, project

from modelqa.errors import DataError
from modelqa.record import Status

__all__ = ["judged", "project"]  # fixtures

HOSTILE = {
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "pipes": "a | b || c |\n| new | row | 99 |",
    "fence": "```\n````\n~~~\n# heading\n```",
    "yaml": "---\nlicense: mit\n---\n",
    "ansi": "\x1b[31mred\x1b[0m\x1b]8;;http://evil\x07link\x1b]8;;\x07",
    "bidi": "abc\u202edef\u2066ghi\u2069",
    "ci": "::error file=x::boom\n##vso[task.setvariable]x",
    "mention": "@everyone see #1 and https://evil.example/x",
    "image": "![x](http://evil.example/p.png) [a](javascript:alert(1))",
    "comment": "<!-- --> --><!--",
    "mark": "\ue000record.digest|hash\ue001 {{ report }} {% raw %}",
    "surrogate": "\ud800 \x00 \ufeff",
    "mathjax": "$$\\require{x}$$ \\(x\\)",
    "huge": "9 | <b> " * 130_000,
}


@pytest.fixture
def report(judged: Path) -> dict[str, Any]:
    inputs = inputs_of(judged)
    return make_report(inputs.stored, inputs.evidence, inputs.settings)


@pytest.fixture
def prose(judged: Path) -> Any:
    return inputs_of(judged).settings.prose


def test_every_number_on_the_card_is_in_its_index(report: dict[str, Any], prose: Any) -> None:
    rendered = render(report, prose, manifest_sha256="a" * 64)
    assert len(NUMBER.findall(rendered.text)) > 40
    assert differences(rendered.text, report, rendered.index) == []


@pytest.mark.parametrize("edit", ["changed", "added", "removed", "report"])
def test_an_edited_number_is_found(report: dict[str, Any], prose: Any, edit: str) -> None:
    rendered = render(report, prose)
    gate = next(gate for gate in report["gates"] if gate["gate"] == "echo")
    rate = f"{gate['rate']:.1%}"
    assert rate in rendered.text
    text = rendered.text
    if edit == "changed":
        text = text.replace(rate, "99.9%", 1)
    elif edit == "added":
        text = text.replace("It knows nothing.", "It beats GPT on 57 tasks.")
    elif edit == "removed":
        text = text.replace(rate, "", 1)
    else:
        gate["rate"] += 0.01
    assert differences(text, report, rendered.index)


def test_every_number_of_the_index_is_what_the_record_says(judged: Path, report: dict[str, Any], prose: Any) -> None:
    run = json.loads(inputs_of(judged).stored.path.read_text())
    echo = next(gate for gate in run["gates"] if gate["gate"] == "echo")["verdict"]
    row = next(line for line in render(report, prose).text.splitlines() if line.startswith("| `echo` |"))
    cells = [cell.strip() for cell in row.split("|")[1:-1]]
    assert cells[1] == "PASS"
    assert cells[2] == f"{echo['passed']} / {echo['total']}"
    assert cells[3] == f"{echo['passed'] / echo['total']:.1%} [{echo['lower']:.1%}, {echo['upper']:.1%}]"
    assert cells[4] == "70%"


def test_a_gate_of_every_verdict_is_on_the_card(judged: Path, prose: Any) -> None:
    inputs = inputs_of(judged)
    gates = list(inputs.stored.run.gates)
    for place, status in zip(range(len(gates)), (Status.FAIL, Status.INCONCLUSIVE, Status.NOT_RUN), strict=False):
        gates[place] = replace(gates[place], verdict=replace(gates[place].verdict, status=status, code="some_code"))
    stored = replace(inputs.stored, run=replace(inputs.stored.run, gates=tuple(gates)))
    text = render(make_report(stored, inputs.evidence, inputs.settings), prose).text
    for result in gates:
        assert f"`{result.gate}`" in text
    assert "**FAIL**" in text and "INCONCLUSIVE" in text and "NOT RUN" in text


def test_the_same_report_gives_the_same_bytes_and_sections_without_content_are_absent(
    report: dict[str, Any], prose: Any
) -> None:
    text = render(report, prose).text
    assert text == render(json.loads(json.dumps(report)), prose).text
    assert "Benchmarks" not in text and "Postmortems" not in text and "Threshold changes" not in text
    assert "Limitations" in text and "Limitations" not in render(report, {}).text
    assert not re.search(r"more information needed|none yet|n/a", text, re.IGNORECASE)


def test_previous_and_reference_values_stand_beside(judged: Path, report: dict[str, Any], prose: Any) -> None:
    inputs = inputs_of(judged)
    before = json.loads(json.dumps(report))
    echo = next(gate for gate in before["gates"] if gate["gate"] == "echo")
    echo |= {"passed": 31, "total": 60, "rate": 31 / 60}
    before["bars"] = {**before["bars"], "echo/chat": 0.9}
    now = make_report(inputs.stored, inputs.evidence, inputs.settings, previous=before, reference=report)
    rendered = render(now, prose)
    row = next(line for line in rendered.text.splitlines() if line.startswith("| `echo` |"))
    assert row.rstrip().endswith("| 31 / 60 |")
    assert "| `echo/chat` | 0&#46;9 | 0&#46;7 | **loosened** | – |" in rendered.text
    assert differences(rendered.text, now, rendered.index) == []


def test_benchmarks_are_told_with_chance_interval_and_alignment_tax(report: dict[str, Any], prose: Any) -> None:
    report["benchmarks"] = [
        {"name": "mcq", "unit": "rate", "n": 200, "value": 0.26, "lower": 0.2, "upper": 0.33, "chance": 0.25,
         "reading": "at chance", "base": 0.3, "delta": -0.04, "delta_lower": -0.09, "delta_upper": 0.01,
         "distinguishable": False},
    ]  # fmt: skip
    rendered = render(report, prose)
    row = next(line for line in rendered.text.splitlines() if line.startswith("| `mcq` |"))
    for part in ("26.0% [20.0%, 33.0%]", "25.0%", "-4.0 [-9.0, +1.0]", "at chance", "not distinguishable"):
        assert part in row
    assert differences(rendered.text, report, rendered.index) == []


def test_metadata_are_yaml_for_the_hub_and_name_the_role(report: dict[str, Any], prose: Any) -> None:
    from huggingface_hub import ModelCard

    report["standing"] = {**report["standing"], "role": "experimental", "canonical": "org/name"}
    text = render(report, prose).text
    metadata = metadata_of(text)
    assert metadata is not None
    assert metadata["license"] == "apache-2.0" and metadata["modelqa"]["role"] == "experimental"
    results = ModelCard(text).data.eval_results
    assert results is not None
    rates = {gate["gate"]: gate.get("rate") for gate in report["gates"]}
    assert {result.dataset_name: result.metric_value for result in results} == {"echo": rates["echo"]}
    assert "**Experimental. This is not the canonical model.**" in text


def with_replies(judged: Path, said: str) -> dict[str, Any]:
    """A report in which everything that a model or a stranger wrote is hostile."""
    inputs = inputs_of(judged)
    rows = tuple(
        replace(
            row,
            reply=replace(row.reply, raw=said, text=said),
            cases={g: replace(c, asked=said, expected=said, said=said, raw=said) for g, c in row.cases.items()},
        )
        for row in inputs.stored.rows
    )
    gates = list(inputs.stored.run.gates)
    echo = next(place for place, gate in enumerate(gates) if gate.gate == "differ")
    verdict = replace(gates[echo].verdict, status=Status.FAIL, code=said[:500], locus=said[:500], text=said)
    gates[echo] = replace(gates[echo], verdict=verdict)
    run = inputs.stored.run
    run = replace(run, model={**run.model, "name": said[:200], "system": said}, gates=tuple(gates))
    stored = replace(inputs.stored, rows=rows, run=run)
    standing = Standing("canonical", said, overrides={said: said}, keep=(said[:300],))
    postmortems = [
        {"id": "x", "title": said, "summary": said[:5000], "path": "modelqa/postmortems/x.md", "sha256": "0"}
    ]
    report = make_report(
        stored, inputs.evidence, inputs.settings, standing=standing, waivers={"echo": said}, postmortems=postmortems
    )
    number = {"value": 0.5, "lower": 0.4, "upper": 0.6, "base": 0.5, "reading": "at chance"}
    pair = {"passed": 1, "baseline_passed": 1, "total": 2, "difference": 0.0, "lower": -0.1, "upper": 0.1,
            "margin": 0.05, "p_adjusted": 1.0}  # fmt: skip
    return report | {
        "runs": [{"run": said, "recipe": said, "state": said}],
        "benchmarks": [{"name": said[:300], "unit": "rate", **number}],
        "comparisons": [{"of": said[:300], "baseline": said, "status": "PASS", "code": said[:300], **pair}],
        "readings": {"models": [{"name": said}], "rows": [{"asked": said, "said": [said]}]},
        "trend": {"task": said[:300], "candidate": "", "points": [{"model": said, "step": 0, "delta": 1.0}]},
        "thresholds": [{"bar": said[:300], "before": said, "now": said, "because": said, "loosened": True}],
        "loads": [{"library": "transformers", "version": said[:300], "problem": said}],
    }


@pytest.mark.parametrize("said", HOSTILE.values(), ids=HOSTILE)
def test_no_reply_leaves_its_cell(judged: Path, prose: Any, said: str) -> None:
    plain = render(with_replies(judged, "words alone"), prose).text
    report = with_replies(judged, said)
    rendered = render(report, prose)
    text = rendered.text

    assert shape(text) == shape(plain), "the document has other blocks, links or table cells than with plain replies"
    assert text.count("\n") == plain.count("\n")
    assert metadata_of(text) is not None and metadata_of(text).keys() == metadata_of(plain).keys()  # type: ignore[union-attr]
    for bad in ("\x1b", "\x07", "\u202e", "\u2066", "\x00", "\ufeff", "\ue000"):
        assert bad not in text
    assert not re.search(r"^\s*(?:::|##vso)", text, re.MULTILINE)
    assert len(text) < 400_000
    text.encode("utf-8")
    assert differences(text, report, rendered.index) == []


def shape(text: str) -> list[str]:
    """The kinds of all blocks and inline parts of a card, as a Markdown reader sees them, without their words."""
    body = text.split("\n---\n", 1)[1]
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(body)
    inline = {"text", "softbreak", "code_inline", "text_special", "html_inline"}
    kinds = []
    for token in tokens:
        kinds.append(token.type)
        kinds += [child.type for child in token.children or () if child.type not in inline]
        assert not any(child.type == "html_inline" for child in token.children or ())
    return kinds


def test_the_shape_of_a_card_shows_a_reply_that_escaped() -> None:
    head = "---\na: b\n---\n| said |\n|---|\n"
    assert shape(head + "| words |\n") != shape(head + "| words |\n| more |\n")
    assert shape(head + "| words |\n") != shape(head + "| [a](http://x) |\n")
    with pytest.raises(AssertionError):
        shape(head + "| <b>x</b> |\n")


def test_a_template_can_print_nothing_but_references(
    report: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for body, fact in (
        ("{{ report.model.name }}", "without n"),
        ('{{ n("model.nmae") }}', "has nothing at"),
        ("{{ reprot }}", "Undefined"),
        ("It scored 57%.", "states the number 57%"),
        ('{{ n("model.name", "bold") }}', "no format"),
    ):
        (tmp_path / card.TEMPLATE).write_text(body)
        monkeypatch.setattr(card, "CARDS", tmp_path)
        with pytest.raises(DataError, match=re.escape(fact)):
            render(report, {})


def test_a_reply_cannot_write_a_reference(report: dict[str, Any]) -> None:
    report["model"]["system"] = mark("record.digest", "hash")
    text, entries = resolve(mark("model.system", "cell"), report)
    assert report["record"]["digest"] not in text
    assert [entry.path for entry in entries] == ["model.system"]


def test_the_command_prints_the_card_without_torch_network_or_transformers(project: Path) -> None:
    code = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise AssertionError('network')\n"
        "socket.socket.connect = refuse\n"
        "from modelqa.cli import main\n"
        f"status = main(['card', {MODEL!r}])\n"
        "print('LOADED', *sorted({m.split('.')[0] for m in sys.modules}), file=sys.stderr)\n"
        "sys.exit(status)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("---\nlicense: apache-2.0\n") and "# tiny" in done.stdout
    loaded = set(done.stderr.split("LOADED ")[1].split())
    assert not loaded & {
        "torch",
        "transformers",
        "huggingface_hub",
        "great_expectations",
        "pandas",
        "matplotlib",
        "httpx",
    }


def test_a_model_that_was_never_judged_is_a_clear_error(project: Path) -> None:
    (project / ".modelqa" / "history.jsonl").unlink()
    done = subprocess.run([sys.executable, "-m", "modelqa", "card", MODEL], cwd=project, capture_output=True, text=True)
    assert done.returncode == 4 and "Traceback" not in done.stderr
    assert "there is no record of 'tiny'" in done.stderr and f"pytest suites/ --model {MODEL}" in done.stderr


def test_the_card_of_a_record_that_no_history_lists_says_so(project: Path) -> None:
    command = [sys.executable, "-m", "modelqa", "card", MODEL, "--run"]
    stored = inputs_of(project).stored.path
    listed = subprocess.run([*command, str(stored)], cwd=project, capture_output=True, text=True)
    assert listed.returncode == 0 and "history" not in listed.stderr
    edited = shutil.copytree(stored.parent, stored.parent.with_name("edited")) / "run.json"
    content = json.loads(stored.read_text())
    content["gates"][0]["measured"]["edited"] = 1
    edited.write_text(json.dumps(content))
    done = subprocess.run([*command, str(edited)], cwd=project, capture_output=True, text=True)
    assert done.returncode == 0 and "the history of runs does not list" in done.stderr


def test_the_command_puts_reference_and_last_release_beside(project: Path) -> None:
    from modelqa.publish.stage import stage

    inputs = inputs_of(project)
    release = stage(inputs, suites=project / "suites", standing=Standing("canonical", "First."))
    (project / "report.json").write_bytes(release.by_path["modelqa/report.json"].content())
    command = [sys.executable, "-m", "modelqa", "card", MODEL, "--reference", str(inputs.stored.path)]
    done = subprocess.run([*command, "--previous", "report.json"], cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    row = next(line for line in done.stdout.splitlines() if line.startswith("| `echo` |"))
    passed = next(gate.verdict.passed for gate in inputs.stored.run.gates if gate.gate == "echo")
    assert row.count(f"{passed} / 60") == 3
    wrong = subprocess.run([*command, "--previous", "models.toml"], cwd=project, capture_output=True, text=True)
    assert wrong.returncode == 4 and "Traceback" not in wrong.stderr


def test_a_card_written_by_hand_is_linted_in_its_folder(project: Path) -> None:
    command = [sys.executable, "-m", "modelqa", "card", MODEL, "--lint"]
    (project / "checkpoints" / MODEL / "README.md").write_text("# tiny\n\nA 350M parameter model.\n")
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    held = inputs_of(project).evidence.parameters
    assert done.returncode == 1
    assert "card.no_metadata" in done.stdout and "card.parameters" in done.stdout and f"{held:,}" in done.stdout
    right = f"---\nlicense: mit\n---\nA model of {held / 1e6:.1f}M parameters.\n"
    (project / "checkpoints" / MODEL / "README.md").write_text(right)
    assert subprocess.run(command, cwd=project, capture_output=True, text=True).returncode == 0
