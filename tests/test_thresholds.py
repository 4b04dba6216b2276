"""The ledger of thresholds: what became looser is seen, named, and blocks until somebody has written down why."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sessions import Suite, record, verdicts

from modelqa.cli import main
from modelqa.errors import UsageError
from modelqa.files import canonical_json
from modelqa.models import ancestors, load_registry
from modelqa.thresholds import (
    explained,
    in_force,
    ledger_problems,
    loosened,
    loosened_along,
    read_ledger,
    released,
    stated,
    write_released,
)

ROOT = Path(__file__).parents[1]
SUITES = ROOT / "suites"
TABLE = '[phases]\norder = ["early", "late"]\n'
BARS: dict[str, Any] = {
    "phases": ["early", "late"],
    "gates/echo": "judged",
    "echo/early": "from late",
    "echo/late": 0.8,
    "echo/margin": 0.1,
    "echo/floors": {"words": 0.5},
    "echo/allows": ["last_word"],
    "echo/threshold": None,
    "gates/check": "judged",
    "gates/data[train.mix]": "judged",
    "data[train.mix]/tolerance": 0.02,
    "data[train.mix]/mostly": 0.9,
    "data[train.mix]/max_value": 3,
    "data[train.mix]/value_set": [True],
    "data[train.mix]/severity": "critical",
    "behaviour/test_echo.py:SOME": 0.05,
}


@pytest.mark.parametrize(
    ("bar", "value"),
    [
        ("echo/late", 0.79),
        ("echo/late", "from later"),
        ("echo/margin", 0.11),
        ("echo/floors", {"words": 0.4}),
        ("echo/floors", {}),
        ("echo/allows", ["last_word", "parrot"]),
        ("echo/threshold", 0.9),  # which counts instead of the table's
        ("gates/echo", "printed"),
        ("check/early", "from late"),  # a check that was always asked
        ("data[train.mix]/tolerance", 0.03),
        ("data[train.mix]/mostly", 0.8),
        ("data[train.mix]/max_value", 4),
        ("data[train.mix]/severity", "warning"),
        ("data[train.mix]/value_set", [True, False]),  # no direction
        ("behaviour/test_echo.py:SOME", 0.06),  # no direction
        ("behaviour/test_echo.py:SOME", 0.04),
        ("phases", ["late", "early"]),
    ],
)
def test_a_bar_that_is_lower_or_has_no_direction_is_looser(bar: str, value: Any) -> None:
    assert [(each.bar, each.now) for each in loosened(BARS, {**BARS, bar: value})] == [(bar, value)]


@pytest.mark.parametrize(
    ("bar", "value"),
    [
        ("echo/late", 0.81),
        ("echo/early", 0.2),
        ("echo/margin", 0.05),
        ("echo/floors", {"words": 0.5, "kind": 0.2}),
        ("echo/allows", []),
        ("data[train.mix]/tolerance", 0.01),
        ("data[train.mix]/mostly", 1.0),
        ("new/late", "from late"),
        ("gates/new", "printed"),
        ("phases", ["early", "middle", "late"]),
    ],
)
def test_a_bar_that_is_higher_or_new_is_not(bar: str, value: Any) -> None:
    assert loosened(BARS, {**BARS, bar: value}) == []


@pytest.mark.parametrize("bar", ["gates/echo", "echo/late", "echo/margin", "data[train.mix]/tolerance", "gates/check"])
def test_what_is_gone_is_looser(bar: str) -> None:
    now = {name: value for name, value in BARS.items() if name != bar}
    assert [(each.bar, each.now) for each in loosened(BARS, now)] == [(bar, None)]


@given(st.floats(0, 1), st.floats(0, 1))
def test_of_two_rates_exactly_the_lower_one_is_looser(one: float, two: float) -> None:
    there = [bool(loosened({**BARS, "echo/late": a}, {**BARS, "echo/late": b})) for a, b in ((one, two), (two, one))]
    assert there == [two < one, one < two]


def test_a_reason_holds_for_one_bar_at_one_value() -> None:
    changes = loosened(BARS, {**BARS, "echo/late": 0.6, "echo/margin": 0.2})
    reasons = [
        {"bar": "echo/late", "now": 0.7, "because": "an earlier one"},
        {"bar": "echo/margin", "now": 0.2, "because": "fewer cases"},
    ]
    assert {each.bar: each.because for each in explained(changes, reasons)} == {
        "echo/late": "",
        "echo/margin": "fewer cases",
    }


def test_along_a_line_of_training_nothing_may_be_let_off_again() -> None:
    bars = {"gates/a": "judged", "a/one": 0.6, "a/two": 0.8, "a/three": 0.7, "a/four": "from five"}
    assert [(each.bar, each.before, each.now) for each in loosened_along(bars, ["one", "two", "three", "four"])] == [
        ("a/three", 0.8, 0.7),
        ("a/four", 0.8, "from five"),
    ]
    assert loosened_along(bars, ["one", "two"]) == []


def test_a_later_phase_that_asks_less_is_named_with_its_own_code() -> None:
    bars = {"phases": ["one", "two"], "gates/a": "judged", "a/one": 0.8, "a/two": 0.7}
    standing = {"release": "1.0", "bars": bars, "loosened": [], "reasons": []}
    assert [(each.code, each.locus) for each in ledger_problems(standing, ["one", "two"])] == [
        ("harness.loosened_in_chain", "a/two")
    ]
    reasons = [{"bar": "a/two", "now": 0.7, "because": "two is a branch"}]
    assert ledger_problems({**standing, "reasons": reasons}, ["one", "two"]) == []


def test_every_line_of_the_shipped_models_only_ever_gets_stricter() -> None:
    registry = load_registry(ROOT / "fixtures" / "models.toml")
    bars = in_force(SUITES)
    for model in registry.models.values():
        line = [each.phase for each in reversed([model, *ancestors(registry, model)])]
        assert explained(loosened_along(bars, line), read_ledger(SUITES)) == [], model.name


def test_the_bars_of_the_shipped_suites_are_those_of_their_files() -> None:
    bars = in_force(SUITES)
    train = json.loads((SUITES / "data" / "train.json").read_text(encoding="utf-8"))
    mix = next(each for each in train["expectations"] if each["id"] == "train.mix")
    assert bars["data[train.mix]/tolerance"] == mix["kwargs"]["tolerance"]
    assert bars["data[train.mix]/severity"] == mix["severity"]
    assert bars["gates/echo_strict"] == "printed" and bars["gates/echo_basic"] == "judged"
    assert bars["gates/tied_embeddings"] == "judged"
    assert bars["behaviour/test_echo.py:COLLAPSED"] == 1 / 3
    assert canonical_json(bars) == canonical_json(json.loads(json.dumps(bars)))


def test_every_loosening_of_the_shipped_suites_has_its_reason() -> None:
    assert [row["bar"] for row in stated(SUITES)["loosened"] if not row["because"]] == []
    assert released(SUITES) is not None


def edited(folder: Path, file: str, old: str, new: str) -> Path:
    """A copy of the shipped suites, one piece of text replaced."""
    copy = folder / "suites"
    shutil.copytree(SUITES, copy)
    text = (copy / file).read_text(encoding="utf-8")
    assert old in text
    (copy / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return copy


EDITS = [
    ("phases.toml", "phase3a2 = 0.75", "phase3a2 = 0.35", "operators/phase3a2"),
    ("phases.toml", "anti_echo = 0.10", "anti_echo = 0.30", "anti_echo/margin"),
    ("data/train.json", '"tolerance": 0.02', '"tolerance": 0.2', "data[train.mix]/tolerance"),
    ("behaviour/test_degeneration.py", "SOME = 0.05", "SOME = 0.5", "behaviour/test_degeneration.py:SOME"),
    ("behaviour/test_format.py", "def test_format_strict", "def fest_format_strict", "gates/format_strict"),
    ("weights/test_weights.py", "def test_id_map", "def id_map", "gates/id_map"),
]


@pytest.mark.parametrize(("file", "old", "new", "bar"), EDITS, ids=[edit[3] for edit in EDITS])
def test_one_edit_of_the_suites_is_named(tmp_path: Path, file: str, old: str, new: str, bar: str) -> None:
    before, after = stated(SUITES)["loosened"], stated(edited(tmp_path, file, old, new))["loosened"]
    assert bar in {row["bar"] for row in after if row not in before and not row["because"]}


def test_a_quiet_loosening_stops_the_run_at_the_harness(tmp_path: Path) -> None:
    """The real suites, the real model: 75% became 35%, and nothing above is judged until the ledger says why."""
    suites = edited(tmp_path, "phases.toml", "phase3a2 = 0.75", "phase3a2 = 0.35")

    def judged() -> tuple[int, dict[str, Any], str]:
        command = [sys.executable, "-m", "pytest", str(suites / "harness" / "test_thresholds.py")]
        command += ["--model", "phase3a2", "--modelqa-dir", str(tmp_path / "home")]
        command += ["-p", "no:cacheprovider", "--rootdir", str(ROOT)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        files = sorted((tmp_path / "home" / "runs").rglob("run.json"), key=lambda path: path.stat().st_mtime_ns)
        return done.returncode, json.loads(files[-1].read_text(encoding="utf-8")), done.stdout

    code, run, output = judged()
    verdict = run["gates"][0]["verdict"]
    assert (code, verdict["code"], verdict["locus"]) == (6, "harness.loosened", "operators/phase3a2"), output
    assert "operators/phase3a2: 0.75 -> 0.35, looser than at 0.1.0.dev1, and nothing says why" in output
    row = '[[loosened]]\nbar = "operators/phase3a2"\nbefore = 0.75\nnow = 0.35\nbecause = "an experiment"\n'
    with (suites / "ledger.toml").open("a", encoding="utf-8") as ledger:
        ledger.write(row)
    code, run, output = judged()
    assert (code, run["gates"][0]["verdict"]["status"]) == (0, "PASS"), output
    assert {"bar": "operators/phase3a2", "before": 0.75, "now": 0.35, "because": "an experiment"} in run["thresholds"][
        "loosened"
    ]
    assert "looser than at" in output and "0.75 -> 0.35 (an experiment)" in output


def test_a_record_keeps_what_its_suites_demanded(run: Suite, pytester: pytest.Pytester) -> None:
    text = "def test_g(checkpoint):\n    assert checkpoint\n"
    assert run({"suites/weights/test_w.py": text}).ret == 0
    assert verdicts(pytester)["g"] == ("PASS", "")
    assert record(pytester)["thresholds"] == {
        "release": "", "bars": {"phases": ["early", "late"], "gates/g": "judged"}, "loosened": [], "reasons": []
    }  # fmt: skip


@pytest.mark.parametrize(
    "row",
    [
        'bar = "a/b"\nnow = 1',
        'bar = "a/b"\nbecause = " "',
        'because = "why"',
        'bar = "a/b"\nbecause = "why"\nwhen = 1',
        'bar = ',
    ],
)
def test_a_row_without_a_bar_or_a_reason_is_one_clear_error(tmp_path: Path, row: str) -> None:
    (tmp_path / "ledger.toml").write_text(f"[[loosened]]\n{row}\n")
    with pytest.raises(UsageError, match=r"ledger\.toml"):
        read_ledger(tmp_path)


def test_a_note_of_a_release_is_written_once_everything_has_a_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "phases.toml").write_text(f"{TABLE}[gates.echo]\nlate = 0.8\n")
    assert main(["thresholds", "--suites", str(tmp_path)]) == 1  # nothing was ever noted
    assert main(["thresholds", "--suites", str(tmp_path), "--release", "1.0"]) == 0
    assert main(["thresholds", "--suites", str(tmp_path)]) == 0
    (tmp_path / "phases.toml").write_text(f"{TABLE}[gates.echo]\nlate = 0.6\n")
    capsys.readouterr()
    assert main(["thresholds", "--suites", str(tmp_path)]) == 1
    assert capsys.readouterr().out == (
        "echo/late: 0.8 -> 0.6, and nothing says why\n1 looser than at 1.0; 1 without a reason\n"
    )
    assert main(["thresholds", "--suites", str(tmp_path), "--release", "1.1"]) == 4
    assert "1 of these have no reason" in capsys.readouterr().err
    (tmp_path / "ledger.toml").write_text('[[loosened]]\nbar = "echo/late"\nnow = 0.6\nbecause = "why not"\n')
    assert main(["thresholds", "--suites", str(tmp_path), "--release", "1.1"]) == 0
    noted = released(tmp_path)
    assert noted is not None and noted[1]["echo/late"] == 0.6


def test_a_note_that_is_none_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "released.json").write_text('{"release": 3}')
    with pytest.raises(UsageError, match="is no note of a release"):
        stated(tmp_path)


def test_files_that_cannot_be_read_are_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text("def test_(:\n")
    with pytest.raises(UsageError, match=r"test_a\.py"):
        in_force(tmp_path)
    (tmp_path / "test_a.py").unlink()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.json").write_text('{"expectations": [{}]}')
    with pytest.raises(UsageError, match=r"train\.json"):
        write_released(tmp_path, "1.0")
