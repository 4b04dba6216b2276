"""What a card tells beyond the gates: the baseline's pairs, replies side by side, benchmarks, versions that load it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from modelqa.publish.benchmarks import benchmark_rows
from modelqa.publish.beside import comparisons
from modelqa.publish.card import differences, render
from modelqa.publish.inputs import Inputs
from modelqa.publish.report import make_report
from publishing import MODEL, inputs_of, judged, project
from stored_runs import gate_result, run_of

from modelqa.benchmarks import Result, ResultSet, write_results
from modelqa.compare import adjusted, compare_outcomes, numbers
from modelqa.errors import DataError, RecordError
from modelqa.files import write_json
from modelqa.models import Model, Registry
from modelqa.record import GateResult, Run, Status, Verdict
from modelqa.records import Asked, Row
from modelqa.reply import Reply

__all__ = ["judged", "project"]  # fixtures


@pytest.fixture
def inputs(judged: Path) -> Inputs:
    return inputs_of(judged)


def card_of(inputs: Inputs, **changed: Any) -> str:
    """The card of the inputs with a part of the stored run or of the evidence changed; its numbers are all indexed."""
    evidence = {key: changed.pop(key) for key in ("benchmarks", "loads") if key in changed}
    stored = replace(inputs.stored, **changed)
    report = make_report(stored, replace(inputs.evidence, **evidence), inputs.settings)
    card = render(report, inputs.settings.prose)
    assert differences(card.text, report, card.index) == []
    return card.text


def row_of(text: str, start: str, section: str) -> list[str]:
    """The cells of the first row of a section's table that begins with `start`."""
    part = text.split(f"## {section}\n", 1)[1].split("\n## ", 1)[0]
    line = next(line for line in part.splitlines() if line.startswith(f"| {start}"))
    return [cell.strip() for cell in line.split("|")[1:-1]]


def test_a_run_that_holds_none_of_them_has_no_such_section(inputs: Inputs) -> None:
    text = card_of(inputs)
    assert not any(f"## {name}" in text for name in ("Beside the baseline", "Side by side", "Benchmarks"))
    assert text.count("| loads with |") == 1 and "what this record was made with" in text


# -- beside the baseline -----------------------------------------------------------------------------------------------


def compared(right: str, before: str, **edited: Any) -> tuple[GateResult, GateResult]:
    """A gate and its comparison, as the suites write it: `right` and `before` are the cases of both models."""
    new, old = gate_result("other", right), gate_result("other", before)
    families = dict.fromkeys(new.outcomes, 0) | {case: place for place, case in enumerate(new.outcomes)}
    (found,) = adjusted([compare_outcomes("other", old=old.outcomes, new=new.outcomes, families=families)])
    measured = numbers(found, baseline="before", margin=0.05) | edited
    verdict = Verdict(Status.INCONCLUSIVE, "unsettled", "not_worse[other]")
    return new, GateResult("not_worse[other]", "t::n", "behaviour", verdict, measured=measured)


def run_with(inputs: Inputs, *gates: GateResult) -> Run:
    """The run with more gates; what is judged by a rate has bounds, whichever."""
    bounds = {"lower": 0.1, "upper": 0.9, "clustered": 0.1, "families": 2}
    judged = [replace(gate, verdict=replace(gate.verdict, **bounds if gate.outcomes else {})) for gate in gates]
    return replace(inputs.stored.run, gates=(*inputs.stored.run.gates, *judged))


def test_the_pairs_with_the_baseline_stand_on_the_card(inputs: Inputs) -> None:
    text = card_of(inputs, run=run_with(inputs, *compared("yyyyyynnnn", "yynnnnyynn")))
    cells = row_of(text, "`other`", "Beside the baseline")
    assert "paired with before." in text
    assert cells[1:4] == ["INCONCLUSIVE (`unsettled`)", "6 / 10", "4 / 10"]
    assert cells[4].startswith("+20.0 [-") and cells[5] == "5%"
    assert 0 < float(cells[6]) <= 1


@pytest.mark.parametrize(
    "edited",
    [
        {"baseline_passed": 5},
        {"passed": 7},
        {"total": 9},
        {"gained": ["other/9"]},
        {"lost": "other/6"},
        {"lower": 0.3},
        {"upper": "high"},
        {"p_adjusted": float("nan")},
    ],
    ids=lambda edited: next(iter(edited)),
)
def test_a_comparison_that_its_outcomes_contradict_makes_no_card(edited: dict[str, Any]) -> None:
    assert comparisons(run_of("m", *compared("yyyyyynnnn", "yynnnnyynn")))
    with pytest.raises(RecordError, match=r"contradicts itself on not_worse\[other\]"):
        comparisons(run_of("m", *compared("yyyyyynnnn", "yynnnnyynn", **edited)))


def test_a_comparison_of_a_gate_that_the_record_lacks_makes_no_card() -> None:
    with pytest.raises(RecordError, match="contradicts itself"):
        comparisons(run_of("m", compared("yn", "ny")[1]))


# -- side by side ------------------------------------------------------------------------------------------------------


def reading(role: str, said: str) -> Row:
    asked = Asked("r1", "Who are you?", "", said, said + "<end>")
    return Row(role, "key", "Who are you?", Reply((1,), said + "<end>", said, True), {"side_by_side": asked})


def test_fixed_prompts_are_read_side_by_side_and_nowhere_else(inputs: Inputs) -> None:
    run = replace(
        run_with(inputs, replace(gate_result("side_by_side", "y"), outcomes={"r1": "yes"})),
        controls={"baseline": {"name": "before"}, "parent": {"name": "mute"}},
    )
    text = card_of(inputs, run=run, rows=(*inputs.stored.rows, reading("candidate", "Me."), reading("baseline", "I|.")))
    assert row_of(text, "asked", "Side by side") == ["asked", "tiny said", "before said"]
    assert row_of(text, "Who", "Side by side") == ["Who are you?", "Me&#46;", "I&#124;&#46;"]
    assert text.count("Who are you?") == 1


# -- benchmarks --------------------------------------------------------------------------------------------------------


def results(root: Path, name: str, *found: Result, weights: str = "") -> Model:
    path = root / f"{name}.json"
    write_results(path, ResultSet({"tool": "table", "version": "", "files": {}}, found, weights=weights))
    return Model(name, root, benchmarks=(path,))


def rate(model: str, task: str, right: int, n: int | None = 1000, **fields: Any) -> Result:
    return Result(model, task, "acc", right / (n or 1000), n=n, stated=0.25, **fields)


def test_results_have_interval_and_chance_and_what_the_base_scored(tmp_path: Path, inputs: Inputs) -> None:
    base = results(tmp_path, "base", rate("base", "quiz", 400), rate("base", "hard", 255))
    own = (rate("m", "quiz", 300), rate("m", "hard", 260), rate("m", "low", 190), rate("m", "open", 500, n=None))
    more = (Result("m", "lines", "word_perplexity", 12.5, unit="perplexity"), rate("m", "quiz", 290, control="rotated"))
    model = replace(results(tmp_path, "m", *own, *more), parent="base")
    rows = benchmark_rows(model, Registry({"base": base, "m": model}), weights="w")
    text = card_of(inputs, benchmarks=rows)

    quiz = row_of(text, "`quiz acc`", "Benchmarks")
    assert quiz[1] == "1,000" and quiz[2].startswith("30.0% [27.") and quiz[3] == "25.0%" and quiz[4] == "40.0%"
    assert quiz[5].startswith("-10.0 [-13.") and quiz[6] == "above chance"
    hard = row_of(text, "`hard acc`", "Benchmarks")
    assert hard[5].startswith("+0.5 [") and hard[6] == "at chance, not distinguishable"
    assert row_of(text, "`low acc`", "Benchmarks")[4:] == ["–", "–", "below chance"]
    assert row_of(text, "`open acc`", "Benchmarks")[1:] == ["not stated", "50.0%", "25.0%", "–", "–", ""]
    assert row_of(text, "`lines", "Benchmarks")[2] == "12.5"
    assert "rotated" not in text


def test_results_of_other_weights_make_no_card(tmp_path: Path) -> None:
    model = results(tmp_path, "m", rate("m", "quiz", 300), weights="a" * 64)
    assert benchmark_rows(model, Registry({"m": model}), weights="a" * 64)
    with pytest.raises(DataError, match="other weights"):
        benchmark_rows(model, Registry({"m": model}), weights="b" * 64)


def test_declared_results_reach_the_card(project: Path) -> None:
    results(project, "results", rate(MODEL, "quiz", 300))
    registry = project / "models.toml"
    registry.write_text(registry.read_text() + 'benchmarks = ["results.json"]\n')
    assert row_of(card_of(inputs_of(project)), "`quiz acc`", "Benchmarks")[1] == "1,000"


def test_the_family_of_a_model_is_told_with_what_is_not_known_of_it(project: Path) -> None:
    points = [{"model": "1b", "step": 0, "delta": -6.35}, {"model": "2b", "step": 1, "delta": None}]
    points.append({"model": "3b", "step": 2, "delta": 2.04})
    write_json(project / "trend.json", {"schema": 1, "task": "ifeval", "candidate": "3b", "points": points})
    registry = project / "models.toml"
    registry.write_text(registry.read_text() + 'trend = "trend.json"\n')
    text = card_of(inputs_of(project))
    assert "The family on `ifeval`, chat minus base in points: `1b` -6.35, `2b` not stated, `3b` +2.04." in text
    assert "## Benchmarks" in text and "| benchmark |" not in text


# -- the known-good model beside ---------------------------------------------------------------------------------------


def test_the_reference_stands_beside_when_its_own_run_asked_the_same(project: Path) -> None:
    record, history = inputs_of(project).stored.path, project / ".modelqa" / "history.jsonl"
    value = json.loads(record.read_text()) | {"controls": {"reference": {"name": "good"}}}
    write_json(record, value)
    assert inputs_of(project).reference is None
    row = json.loads(history.read_text().splitlines()[-1])
    history.write_text(json.dumps(row) + "\n" + json.dumps({**row, "name": "good"}) + "\n")
    echo = next(gate for gate in value["gates"] if gate["gate"] == "echo")["verdict"]
    found = inputs_of(project)
    text = render(make_report(found.stored, found.evidence, found.settings, reference=found.reference), {}).text
    assert row_of(text, "`echo`", "Gates")[-1] == f"{echo['passed']} / {echo['total']}"

    other = record.parent.parent / "other" / "run.json"
    write_json(other, {**value, "settings": {**value["settings"], "case_seed": 7}})
    place = other.relative_to(project / ".modelqa").as_posix()
    history.write_text(json.dumps(row) + "\n" + json.dumps({**row, "name": "good", "record": place}) + "\n")
    assert inputs_of(project).reference is None, "other cases are no comparison"


# -- versions that load it ---------------------------------------------------------------------------------------------


def test_what_other_versions_made_of_it_is_told_without_their_own_words(project: Path) -> None:
    digest = inputs_of(project).checkpoint.digest
    place = project / ".modelqa" / "loads" / digest[:16]
    found = {"with": "4.57", "versions": {"transformers": "4.57.1"}, "problem": "", "digest": digest}
    write_json(place / "4.57.json", found)
    bad = {"versions": {"transformers": "4.40.0"}, "problem": "the model does not load: KeyError in /home/me/x.py"}
    write_json(place / "4.40.json", found | bad)
    write_json(place / "4.0.json", found | {"digest": "of another", "versions": {"transformers": "4.0.9"}})
    text = card_of(inputs_of(project))
    assert "transformers `4.57.1`: the same token ids and logits |" in text
    assert "transformers `4.40.0`: **no**, the model does not load |" in text
    assert "/home/me" not in text and "4.0.9" not in text

    write_json(place / "4.41.json", {"digest": digest})
    with pytest.raises(DataError, match="does not say what loading came to"):
        inputs_of(project)


# -- size and training -------------------------------------------------------------------------------------------------


def test_declared_tokens_are_told_as_declared_and_counted_ones_as_counted(project: Path) -> None:
    counted = inputs_of(project)
    assert counted.evidence.tokens_how == "counted" and "as its trainers counted" in card_of(counted)
    registry = project / "models.toml"
    twice = 2 * counted.evidence.parameters
    registry.write_text(registry.read_text() + f"training_tokens = {twice}\n")
    text = card_of(inputs_of(project))
    assert f"Training saw {twice:,} tokens over 1 stage(s), as its makers declare: 2.00 for each parameter" in text


def test_the_measure_of_the_fixed_text_stands_on_the_card_with_its_hash(inputs: Inputs) -> None:
    measured = {"bits_per_byte": 2.3456, "perplexity": 17.25, "tokens": 190, "bytes": 694, "text_sha256": "ab12" * 16}
    gate = GateResult("fixed_text", "t::f", "benchmarks", Verdict(Status.PASS), measured=measured)
    text = card_of(inputs, run=run_with(inputs, gate))
    said = "of 694 bytes (sha256 `ab12ab12ab12`) it needs 2.346 bits per byte: a perplexity of 17.25 for each of 190"
    assert said in text
    for key in measured:
        partly = {name: value for name, value in measured.items() if name != key}
        assert "fixed text" not in card_of(inputs, run=run_with(inputs, replace(gate, measured=partly)))


def test_the_shape_of_what_ships_is_named_field_by_field(inputs: Inputs) -> None:
    """A field that a record gains stays at home until somebody lets it ship."""
    gate, beside = compared("yn", "ny")
    secret = replace(beside, measured={**beside.measured, "path": "/home/me"})
    report = make_report(
        replace(inputs.stored, run=run_with(inputs, gate, secret)),
        replace(inputs.evidence, loads=()),
        inputs.settings,
    )
    assert "/home/me" not in str(report) and "gained" not in report["comparisons"][0]
    assert asdict(secret)["measured"]["path"] == "/home/me"
