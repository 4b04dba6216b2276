"""The history of runs: derived from the records, and from nothing else."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest
from stored_runs import gate_result, run_of

from modelqa.cli import main
from modelqa.errors import OutputError
from modelqa.files import write_json
from modelqa.history.database import FILE, PastRun, model_names, open_history, past_runs
from modelqa.history.page import history_page, rate_svg
from modelqa.history.show import history_lines
from modelqa.record import Run, Status, Verdict


def keep(home: Path, run: Run, *, second: int = 0) -> Path:
    """Store a run as a session does: in a folder that is named by its digest."""
    path = home / "runs" / str(run.model["name"]) / run.digest[:12] / "run.json"
    write_json(path, run.to_json())
    write_json(path.with_name("run.meta.json"), {"time": f"2026-01-01T00:00:{second:02}Z"})
    return path


def read(home: Path, name: str = "m") -> list[PastRun]:
    with open_history(home) as (database, unread):
        assert not unread
        return past_runs(database, name)


def test_runs_come_back_in_their_order_with_every_gate(tmp_path: Path) -> None:
    keep(tmp_path, run_of("m", gate_result("echo", "yyyn")), second=5)
    keep(tmp_path, run_of("m", gate_result("echo", "yynn")), second=3)
    keep(tmp_path, run_of("other", gate_result("echo", "y")), second=1)
    runs = read(tmp_path)
    assert [run.gates["echo"].passed for run in runs] == [2, 3]
    assert runs[0].gates["echo"].status is Status.PASS and runs[0].weights == "weights of m"
    with open_history(tmp_path) as (database, _):
        assert model_names(database) == ["other", "m"]


def test_the_database_can_be_deleted_damaged_or_old_and_comes_back_from_the_records(tmp_path: Path) -> None:
    keep(tmp_path, run_of("m", gate_result("echo", "yyyn")))
    before = read(tmp_path)
    for damage in (Path.unlink, lambda path: path.write_bytes(b"no database" * 100)):
        damage(tmp_path / FILE)
        assert read(tmp_path) == before
    import sqlite3

    database = sqlite3.connect(tmp_path / FILE)
    database.execute("PRAGMA user_version = 0")
    database.close()
    assert read(tmp_path) == before


def test_a_record_that_is_gone_leaves_the_history_and_an_edited_one_is_named(tmp_path: Path) -> None:
    gone = keep(tmp_path, run_of("m", gate_result("echo", "yyyn")), second=1)
    edited = keep(tmp_path, run_of("m", gate_result("echo", "yynn")), second=2)
    assert len(read(tmp_path)) == 2
    gone.unlink()
    edited.write_text(edited.read_text().replace('"passed": 2', '"passed": 4'))
    with open_history(tmp_path) as (database, unread):
        assert past_runs(database, "m") == []
        assert [(each.path, each.reason) for each in unread] == [(edited, "it was changed after the run wrote it")]


def test_a_damaged_record_is_named_and_the_others_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep(tmp_path, run_of("m", gate_result("echo", "yyyn")))
    broken = tmp_path / "runs" / "m" / "0123" / "run.json"
    broken.parent.mkdir()
    broken.write_text("{")
    assert main(["history", "--dir", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "3/4  75.0%" in out and f"note: {broken} is left out" in out


def test_what_a_person_reads_shows_the_fall_and_the_scorings(tmp_path: Path) -> None:
    good = run_of("m", gate_result("echo", "yyyy"), gate_result("quiet", ""))
    lost = replace(gate_result("echo", "nnnn"), verdict=Verdict(Status.FAIL, "echo.below", passed=0, total=4))
    keep(tmp_path, good, second=1)
    keep(tmp_path, replace(run_of("m", lost), scorings=7), second=2)
    lines = history_lines(read(tmp_path))
    assert lines[0] == "m: 2 run(s); its newest weights were scored on 7 draw(s) of cases"
    assert lines[-1].split() == ["echo", "PF", "█▁", "0/4", "0.0%"]
    assert not any("quiet" in line for line in lines), "a check that always passed is not telling"
    assert any("quiet" in line for line in history_lines(read(tmp_path), gates=["quiet"]))


def test_the_page_is_well_formed_and_hostile_names_stay_text(tmp_path: Path) -> None:
    name = '"><script>alert(1)</script>'
    run = run_of(name, gate_result("echo", "yyyn"))
    path = tmp_path / "runs" / "hostile" / run.digest[:12] / "run.json"
    write_json(path, run.to_json())
    with open_history(tmp_path) as (database, _):
        page = history_page({name: past_runs(database, name)})
    assert "<script" not in page and "&lt;script&gt;" in page


def test_a_picture_has_a_point_for_each_run_that_has_a_rate(tmp_path: Path) -> None:
    keep(tmp_path, run_of("m", gate_result("echo", "yyyn")))
    scored = read(tmp_path)[0].gates["echo"]
    low = replace(scored, passed=0, lower=0.0, upper=0.4, threshold=0.5)
    root = ElementTree.fromstring(rate_svg("echo", [scored, None, low]))
    circles = [float(each.attrib["cy"]) for each in root.iter("{http://www.w3.org/2000/svg}circle")]
    assert len(circles) == 2 and circles[0] < circles[1], "a higher rate stands higher"


def test_a_gate_that_no_run_has_is_one_clear_error_with_the_nearest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(tmp_path, run_of("one", gate_result("echo", "y"), gate_result("format_lock", "y")))
    assert main(["history", "--gate", "ecco", "--dir", str(tmp_path)]) == 4
    said = capsys.readouterr().err
    assert "no run has the gate 'ecco'" in said and "there are echo, format_lock" in said and "nearest: echo" in said
    assert main(["history", "--gate", "echo", "--dir", str(tmp_path)]) == 0


def test_an_unknown_model_and_a_place_that_cannot_be_written_are_clear_errors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(tmp_path, run_of("phase_one", gate_result("echo", "y")))
    assert main(["history", "phase_on", "--dir", str(tmp_path)]) == 4
    assert "nearest: phase_one" in capsys.readouterr().err
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="cannot be used"), open_history(tmp_path / "file"):
        pass
