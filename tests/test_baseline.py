"""The candidate beside its baseline: the same cases, the same gate's body, paired."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sessions import ANY, TABLE, Suite, record, verdicts

from modelqa.files import read_jsonl
from modelqa.record import Status
from modelqa.records import find_stored

ROOT = Path(__file__).parents[1]
BEHAVIOUR = "suites/behaviour/test_a.py"
# "one" answers everything rightly and "two" nothing: what a gate knows of the model it knows of the baseline, too.
BODY = 'def test_g(case, reply, model):\n    assert model.name == "one"\n'
ONE = f'@gate(cases="cases.jsonl", threshold=0.1, {ANY})\n{BODY}'
TWO = ONE.replace('"one"', '"two"')
BOTH = ONE.replace(' == "one"', "")
FILES = {
    "suites/phases.toml": TABLE + "[margins]\ng = 0.5\n",
    "suites/behaviour/test_beside.py": (ROOT / "suites/behaviour/test_baseline.py").read_text(),
}
GATE = "not_worse[g]"


def measured(pytester: pytest.Pytester) -> dict[str, object]:
    values: dict[str, object] = next(g for g in record(pytester)["gates"] if g["gate"] == GATE)["measured"]
    return values


def test_a_candidate_that_lost_what_its_baseline_could_fails(run: Suite, pytester: pytest.Pytester) -> None:
    result = run({BEHAVIOUR: TWO, **FILES}, "--modelqa-baseline", "two")
    assert result.ret == 1
    assert verdicts(pytester)[GATE] == ("FAIL", "behaviour.regressed")
    gate = next(g for g in record(pytester)["gates"] if g["gate"] == GATE)
    assert gate["verdict"]["locus"] == "g"
    assert (gate["measured"]["baseline_passed"], gate["measured"]["passed"], gate["measured"]["total"]) == (8, 0, 8)
    assert gate["measured"]["lost"] == [f"c{number}" for number in range(8)]


def test_a_candidate_that_is_better_passes(run: Suite, pytester: pytest.Pytester) -> None:
    assert run({BEHAVIOUR: ONE, **FILES}, "--modelqa-baseline", "two").ret == 0
    assert verdicts(pytester)[GATE] == ("PASS", "")
    assert measured(pytester)["difference"] == 1.0
    assert record(pytester)["controls"]["baseline"]["name"] == "two"


def test_eight_equal_cases_show_no_loss_of_half_but_not_of_a_tenth(run: Suite, pytester: pytest.Pytester) -> None:
    assert run({BEHAVIOUR: BOTH, **FILES}, "--modelqa-baseline", "two").ret == 0
    narrow = FILES | {"suites/phases.toml": TABLE + "[margins]\ng = 0.1\n"}
    assert run({BEHAVIOUR: BOTH, **narrow}, "--modelqa-baseline", "two").ret == 6
    assert verdicts(pytester)[GATE] == ("INCONCLUSIVE", "unsettled")


def test_without_a_baseline_nothing_is_asked(run: Suite, pytester: pytest.Pytester) -> None:
    result = run({BEHAVIOUR: ONE, **FILES})
    assert result.ret == 0
    assert verdicts(pytester)[GATE] == ("NOT ASKED", "not_asked")
    assert "baseline" not in record(pytester)["controls"]


def test_the_baseline_of_the_registry_is_taken_and_another_one_is_said(
    run: Suite, pytester: pytest.Pytester, models: Path
) -> None:
    registry = models / "with_baseline.toml"
    text = (models / "models.toml").read_text()
    registry.write_text(text.replace('phase = "late"\n', 'phase = "late"\nbaseline = "two"\n', 1))
    files = {BEHAVIOUR: ONE, **FILES}
    assert run(files, "--modelqa-models", str(registry)).ret == 0
    assert measured(pytester)["baseline"] == "two" and record(pytester)["notes"] == []
    run(files, "--modelqa-models", str(registry), "--modelqa-baseline", "none")
    assert verdicts(pytester)[GATE] == ("NOT ASKED", "not_asked")
    assert "not with 'two' as models.toml declares: blocks a release" in record(pytester)["notes"][0]


def test_a_stored_record_is_a_baseline_and_its_model_is_not_needed(
    run: Suite, pytester: pytest.Pytester, models: Path
) -> None:
    run({BEHAVIOUR: TWO, **FILES}, model="two")
    stored = next((pytester.path / ".modelqa" / "runs" / "two").rglob("run.json"))
    assert run({BEHAVIOUR: TWO, **FILES}, "--modelqa-baseline", str(stored)).ret == 1
    assert verdicts(pytester)[GATE] == ("FAIL", "behaviour.regressed")
    assert record(pytester)["controls"]["baseline"]["record"]


def test_a_stored_record_of_other_cases_is_no_baseline(run: Suite, pytester: pytest.Pytester) -> None:
    run({BEHAVIOUR: TWO, **FILES}, model="two")
    stored = next((pytester.path / ".modelqa" / "runs" / "two").rglob("run.json"))
    rows = [json.loads(line) for line in (pytester.path / "suites/behaviour/cases.jsonl").read_text().splitlines()]
    rows[3]["prompt"] += " please"  # the same ids, another question
    other = {"suites/behaviour/cases.jsonl": "\n".join(map(json.dumps, rows))}
    assert run({BEHAVIOUR: TWO, **FILES, **other}, "--modelqa-baseline", str(stored)).ret == 6
    gate = next(g for g in record(pytester)["gates"] if g["gate"] == GATE)
    assert gate["verdict"]["code"] == "unsettled" and "ask or expect something else" in gate["verdict"]["text"]
    assert run({BEHAVIOUR: TWO, **FILES}, "--modelqa-baseline", str(stored), "--modelqa-max-new-tokens", "5").ret == 6
    assert (
        "max_new_tokens 6 and 5" in next(g for g in record(pytester)["gates"] if g["gate"] == GATE)["verdict"]["text"]
    )


def test_weights_that_are_those_of_the_baseline_are_a_finding(
    run: Suite, pytester: pytest.Pytester, models: Path
) -> None:
    check = {"suites/weights/test_changed.py": (ROOT / "suites/weights/test_changed.py").read_text()}
    copied = shutil.copytree(models / "one", pytester.path / "copied")
    assert run(check, "--modelqa-baseline", str(copied)).ret == 1
    assert verdicts(pytester) == {"changed": ("FAIL", "weights.same_as_baseline")}
    assert run(check, "--modelqa-baseline", "two").ret == 0


def test_a_base_model_cannot_be_asked_but_its_weights_are_compared(
    run: Suite, pytester: pytest.Pytester, models: Path
) -> None:
    registry = models / "with_base.toml"
    registry.write_text((models / "models.toml").read_text() + '[models.raw]\npath = "one"\nstage = "base"\n')
    check = {"suites/weights/test_changed.py": (ROOT / "suites/weights/test_changed.py").read_text()}
    run({BEHAVIOUR: ONE, **FILES, **check}, "--modelqa-baseline", "raw", "--modelqa-models", str(registry))
    assert verdicts(pytester) == {
        "changed": ("FAIL", "weights.same_as_baseline"),
        "g": ("INCONCLUSIVE", "lower_rung"),
        GATE: ("NOT ASKED", "not_asked"),
    }


def test_a_gate_that_was_left_out_is_not_called_no_worse(run: Suite, pytester: pytest.Pytester) -> None:
    assert run({BEHAVIOUR: ONE, **FILES}, "--modelqa-baseline", "two", "-k", "not_worse").ret == 6
    assert verdicts(pytester) == {"g": ("NOT RUN", "deselected"), GATE: ("INCONCLUSIVE", "unsettled")}


def test_the_baseline_is_asked_nothing_when_no_comparison_is_selected(run: Suite, pytester: pytest.Pytester) -> None:
    run({BEHAVIOUR: ONE, **FILES}, "--modelqa-baseline", "two", "-k", "test_g")
    path = next((pytester.path / ".modelqa" / "runs").rglob("replies.jsonl.zst"))
    assert {row["model"] for _, row in read_jsonl(path)} == {"candidate"}


def test_a_baseline_that_does_not_exist_is_one_clear_error(run: Suite) -> None:
    result = run({BEHAVIOUR: ONE, **FILES}, "--modelqa-baseline", "three")
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*there is no model named 'three'*"])


def test_the_record_with_a_baseline_is_the_same_bytes_for_any_number_of_workers(
    run: Suite, pytester: pytest.Pytester
) -> None:
    found = []
    for workers in ("0", "2", "4"):
        args = ("--modelqa-baseline", "two", "-n", workers, "--modelqa-dir", f"home{workers}")
        assert run({BEHAVIOUR: TWO, **FILES}, *args, subprocess=True).ret == 1
        folder = next((pytester.path / f"home{workers}" / "runs").rglob("run.json")).parent
        found.append([(folder / name).read_bytes() for name in ("run.json", "replies.jsonl.zst")])
    assert found[0] == found[1] == found[2]


@pytest.mark.slow
def test_a_branch_that_gained_operators_and_lost_questions_about_words_is_seen_as_both(tmp_path: Path) -> None:
    """Really trained: the operator branch of alpha, beside gamma, which learnt echo and questions about words."""
    suites = shutil.copytree(ROOT / "suites", tmp_path / "suites")
    table = (suites / "phases.toml").read_text()
    assert "\nfirst = 25\n" in table  # a stream that ends after them is not laid beside the baseline: decision 0030
    (suites / "phases.toml").write_text(table.replace("\nfirst = 25\n", "\nfirst = 400\n"))
    command = [sys.executable, "-m", "pytest", "suites/behaviour", "--model", "phase3a_operator", "--modelqa-baseline"]
    command += ["phase3a1_gamma", "--modelqa-phase", "phase3a2", "--modelqa-dir", str(tmp_path / "home"), "-q"]
    command += ["--modelqa-models", str(ROOT / "fixtures/models.toml"), "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout
    stored = find_stored(tmp_path / "home", "phase3a_operator")
    found = {gate.gate: gate for gate in stored.run.gates if gate.gate.startswith("not_worse")}
    assert found["not_worse[anti_echo]"].verdict.code == "behaviour.regressed"
    assert found["not_worse[operators]"].verdict.status is Status.PASS
    assert found["not_worse[operators]"].measured["lower"] > 0.2
    assert {"not_worse[format_strict]", "not_worse[operator_wrap]"} <= {
        name for name, gate in found.items() if gate.verdict.status is Status.PASS
    }
