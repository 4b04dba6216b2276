"""Result files that the published harnesses wrote become records; wrong, cut-off or contradicting ones are refused."""

from __future__ import annotations

import csv
import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from modelqa import stats
from modelqa.benchmarks import checks, inspect_log
from modelqa.benchmarks.reading import import_files
from modelqa.benchmarks.result import ResultSet, questions_hash, read_results, rows_path, write_results
from modelqa.cli import main
from modelqa.errors import DataError, ModelqaError
from modelqa.files import canonical_json, read_jsonl, sha256_file

LOGS = Path(__file__).parent / "data" / "harness_logs"
CHAT = next((LOGS / "lm_eval" / "chat").glob("results_*.json"))
BASE = next((LOGS / "lm_eval" / "base").glob("results_*.json"))
LIGHT = next((LOGS / "lighteval").glob("results_*.json"))
ARCHIVE, LOG = LOGS / "inspect_ai" / "mcq.eval", LOGS / "inspect_ai" / "echo.json"
REAL = [CHAT, BASE, LIGHT, ARCHIVE, LOG]


def named(found: ResultSet, name: str):
    return next(result for result in found.results if result.name == name)


# ---- what stands in the record


def test_lm_eval_results_carry_n_interval_chance_version_shots_and_template():
    found = import_files([CHAT])
    acc = named(found, "tiny_mcq acc")
    assert (acc.n, acc.right, acc.version, acc.few_shot, acc.chat_template) == (20, 19, "1.0", 0, True)
    assert (acc.lower, acc.upper) == (stats.cp_lower(19, 20), stats.cp_upper(19, 20))
    assert acc.chance == 0.25
    assert found.source["tool"] == "lm_eval"
    assert found.source["version"] == json.loads(CHAT.read_text())["lm_eval_version"]
    assert found.source["files"][CHAT.name] == sha256_file(CHAT)
    assert import_files([BASE]).results[0].chat_template is False


def test_lm_eval_answers_are_the_likeliest_options():
    raw = {str(row["doc_id"]): row for _, row in read_jsonl(next(CHAT.parent.glob("samples_tiny_mcq_*")))}
    for item in named(import_files([CHAT]), "tiny_mcq acc").items:
        scores = [float(answer[0]) for answer in raw[item.id]["filtered_resps"]]
        assert item.answer == str(scores.index(max(scores)))
        assert item.score == (item.answer == item.gold)


def test_a_group_has_the_questions_of_its_tasks_and_no_binomial_interval(tmp_path):
    content = json.loads(BASE.read_text())
    content["results"]["tiny"] = {"alias": "tiny", "acc,none": 0.5, "acc_stderr,none": 0.1}
    content["group_subtasks"] = {"tiny": ["tiny_mcq", "tiny_inner"], "tiny_inner": ["tiny_echo"]}
    (tmp_path / "results_x.json").write_text(json.dumps(content))
    group = named(import_files([tmp_path / "results_x.json"]), "tiny acc")
    assert (group.n, group.unit, group.chance) == (32, "score", None)
    assert group.lower == pytest.approx(0.5 - 1.6449 * 0.1)
    content["group_subtasks"] = {"tiny": ["tiny"]}
    (tmp_path / "results_x.json").write_text(json.dumps(content))
    assert named(import_files([tmp_path / "results_x.json"]), "tiny acc").n is None


def test_what_only_the_harness_knows_is_not_called_unparsed():
    norm = named(import_files([CHAT]), "tiny_mcq acc_norm")
    assert {item.answer for item in norm.items} == {None}


def test_perplexities_and_bits_are_no_rates():
    found = import_files([CHAT])
    assert named(found, "tiny_text word_perplexity").unit == "perplexity"
    assert named(found, "tiny_text bits_per_byte").unit == "bits_per_byte"
    assert not named(found, "tiny_text bits_per_byte").higher_is_better


def test_two_models_on_the_same_questions_have_the_same_question_hash():
    chat, base = (named(import_files([path]), "tiny_mcq acc") for path in (CHAT, BASE))
    assert chat.items_sha256 == base.items_sha256 != ""
    assert chat.items_sha256 != named(import_files([CHAT]), "tiny_echo exact_match strict").items_sha256


def test_a_question_hash_depends_on_the_questions_and_not_on_their_order_or_numbers():
    items = named(import_files([CHAT]), "tiny_mcq acc").items
    renumbered = [replace(item, id=f"{item.id}x") for item in reversed(items)]
    assert questions_hash(renumbered) == questions_hash(items) != ""
    assert questions_hash(items[1:]) != questions_hash(items)
    assert questions_hash([replace(items[0], sha256="other"), *items[1:]]) != questions_hash(items)
    assert questions_hash([replace(items[0], sha256=""), *items[1:]]) == ""


def test_inspect_archives_give_every_question_and_what_could_not_be_parsed():
    found = import_files([ARCHIVE])
    result = named(found, "tiny_mcq accuracy choice")
    assert (result.model, result.n, result.right, result.version) == ("models/phase3a2", 20, 0, "3")
    assert result.chance == 0.25
    assert all(item.answer == "" for item in result.items)
    assert result.upper < result.chance


def test_inspect_json_logs_are_read_too():
    result = named(import_files([LOG]), "tiny_echo mean exact")
    assert (result.n, result.right, result.unit) == (5, 5, "rate")


@pytest.mark.parametrize(("grade", "mean", "right"), [("N", 0.8, 4), ("I", 0.8, 4), ("P", 0.9, None)])
def test_grades_of_inspect_count_as_it_counts_them(grade, mean, right, tmp_path):
    """No answer is wrong, and a partial one is half: then the mean is a score and no rate."""
    content = json.loads(LOG.read_text())
    content["samples"][0]["scores"]["exact"]["value"] = grade
    content["results"]["scores"][0]["metrics"]["mean"]["value"] = mean
    (tmp_path / "log.json").write_text(json.dumps(content))
    result = named(import_files([tmp_path / "log.json"]), "tiny_echo mean exact")
    assert (result.value, result.right) == (mean, right)


def test_lighteval_results_are_read():
    result = named(import_files([LIGHT]), "tiny_mcq acc")
    assert (result.n, result.right, result.few_shot, result.version) == (20, 19, 0, "1")


def test_lighteval_details_are_read_where_parquet_can_be_and_refused_clearly_where_not():
    details = LIGHT.parent / "details_tiny_mcq.parquet"
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        with pytest.raises(DataError, match="pip install pyarrow"):
            import_files([LIGHT, details])
    else:
        result = named(import_files([LIGHT, details]), "tiny_mcq acc")
        same = {item.id: item.score for item in result.items}
        assert sum(same.values()) == 19
        assert result.chance == 0.25


# ---- nothing is lost


def leaves(value: object, where: str = "") -> dict[str, object]:
    if isinstance(value, dict):
        return {key: leaf for name, entry in value.items() for key, leaf in leaves(entry, f"{where}/{name}").items()}
    if isinstance(value, list):
        return {key: leaf for i, entry in enumerate(value) for key, leaf in leaves(entry, f"{where}/{i}").items()}
    return {where: value}


@pytest.mark.parametrize("path", [CHAT, BASE, LIGHT, LOG], ids=lambda path: f"{path.parent.name}-{path.suffix}")
def test_every_leaf_of_the_results_file_stands_in_the_record(path, tmp_path):
    write_results(tmp_path / "out.json", import_files([path]))
    kept = leaves(json.loads((tmp_path / "out.json").read_text())["original"])
    given = json.loads(path.read_text())
    given.pop("samples", None)  # of an inspect log: kept row by row
    assert kept == leaves(given)


def test_every_sample_row_is_kept_whole_and_bound_by_its_hash(tmp_path):
    write_results(tmp_path / "out.json", import_files([CHAT]))
    rows = rows_path(tmp_path / "out.json")
    kept = [canonical_json(row["row"]) for _, row in read_jsonl(rows)]
    given = [canonical_json(row) for path in CHAT.parent.glob("samples_*") for _, row in read_jsonl(path)]
    assert sorted(kept) == sorted(given)
    assert json.loads((tmp_path / "out.json").read_text())["rows_sha256"] == sha256_file(rows)


def test_every_sample_of_an_inspect_log_is_kept_whole():
    given = {sample["id"]: leaves(sample) for sample in json.loads(LOG.read_text())["samples"]}
    assert {row["id"]: leaves(row["row"]) for row in import_files([LOG]).rows} == given


@pytest.mark.parametrize("path", REAL, ids=lambda path: f"{path.parent.name}-{path.suffix}")
def test_a_record_reads_back_as_it_was_written(path, tmp_path):
    found = import_files([path])
    write_results(tmp_path / "out.json", found)
    assert read_results(tmp_path / "out.json").results == found.results


def test_numbers_that_json_does_not_have_are_kept_as_text(tmp_path):
    content = json.loads(LIGHT.read_text())
    content["results"]["tiny_mcq|0"]["acc_stderr"] = float("nan")
    (tmp_path / "results_x.json").write_text(json.dumps(content))
    found = import_files([tmp_path / "results_x.json"])
    write_results(tmp_path / "out.json", found)
    kept = json.loads((tmp_path / "out.json").read_text(), parse_constant=pytest.fail)
    assert kept["original"]["results"]["tiny_mcq|0"]["acc_stderr"] == "nan"
    assert found.results[0].stderr is None


# ---- a record is not believed


def test_bounds_and_n_of_a_record_are_computed_anew(tmp_path):
    write_results(tmp_path / "out.json", import_files([CHAT]))
    record = json.loads((tmp_path / "out.json").read_text())
    record["results"][0] |= {"lower": 0.99, "n": 100_000, "chance": 0.0}
    (tmp_path / "out.json").write_text(json.dumps(record))
    result = read_results(tmp_path / "out.json").results[0]
    assert (result.n, result.chance) == (20, 0.25)
    assert result.lower == stats.cp_lower(19, 20)


@pytest.mark.parametrize(
    ("field", "value"),
    [("value", 1.2), ("value", "high"), ("n", -3), ("unit", "points"), ("task", 4), ("items", 7), ("surprise", 1)],
)
def test_a_false_field_of_a_record_is_refused(field, value, tmp_path):
    write_results(tmp_path / "out.json", import_files([LIGHT]))
    record = json.loads((tmp_path / "out.json").read_text())
    record["results"][0][field] = value
    (tmp_path / "out.json").write_text(json.dumps(record))
    with pytest.raises(DataError, match="no record of benchmark results"):
        read_results(tmp_path / "out.json")


def test_a_record_of_another_schema_is_refused(tmp_path):
    (tmp_path / "out.json").write_text('{"schema": 9, "results": []}')
    with pytest.raises(DataError, match="schema 9"):
        read_results(tmp_path / "out.json")


# ---- wrong and cut-off files


@pytest.fixture
def run(tmp_path) -> Path:
    """A copy of a real lm_eval run; its results file."""
    for path in CHAT.parent.iterdir():
        shutil.copy(path, tmp_path / path.name)
    return tmp_path / CHAT.name


@pytest.mark.parametrize("path", [CHAT, LIGHT, LOG, ARCHIVE], ids=lambda path: f"{path.parent.name}-{path.suffix}")
@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_file_that_was_cut_off_is_refused(path, share, tmp_path):
    data = path.read_bytes()
    (tmp_path / path.name).write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DataError) as caught:
        import_files([tmp_path / path.name])
    assert path.name in caught.value.fact


def test_one_flipped_byte_in_an_archive_is_refused(tmp_path):
    data = bytearray(ARCHIVE.read_bytes())
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "log.eval").write_bytes(bytes(data))
    with pytest.raises(DataError, match=r"damaged|unpacked|cannot be read"):
        import_files([tmp_path / "log.eval"])


def test_sample_files_that_lack_questions_are_refused(run):
    samples = next(run.parent.glob("samples_tiny_mcq_*"))
    samples.write_text("\n".join(samples.read_text().splitlines()[:12]) + "\n")
    with pytest.raises(DataError, match="12 questions of tiny_mcq, and the results file says 20"):
        import_files([run])


def test_a_sample_line_that_was_cut_off_names_its_line(run):
    samples = next(run.parent.glob("samples_tiny_mcq_*"))
    samples.write_text(samples.read_text()[:-40])
    with pytest.raises(DataError, match="line 20: not JSON"):
        import_files([run])


def test_a_score_that_its_questions_do_not_bear_out_is_refused(run):
    content = json.loads(run.read_text())
    content["results"]["tiny_mcq"]["acc,none"] = 0.99
    run.write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"average 0\.950000, and the results file says 0\.990000"):
        import_files([run])


@pytest.mark.parametrize("status", ["error", "cancelled", "started"])
def test_a_run_that_did_not_end_well_is_refused(status, tmp_path):
    content = json.loads(LOG.read_text()) | {"status": status}
    (tmp_path / "log.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=status):
        import_files([tmp_path / "log.json"])


@pytest.mark.parametrize("content", ["[]", "{}", '{"results": {}}', "3"])
def test_a_file_of_no_known_kind_is_refused(content, tmp_path):
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(DataError, match="of no kind that is known"):
        import_files([tmp_path / "results.json"])


@pytest.mark.parametrize("path", [CHAT, LIGHT, LOG], ids=["lm_eval", "lighteval", "inspect_ai"])
def test_any_field_of_another_shape_is_a_clear_error_or_does_no_harm(path, tmp_path):
    given = json.loads(path.read_text())
    for key in list(given):
        for wrong in (None, 3, "text", [], [1], {"tiny_mcq": 3}, {"a": {"b": []}}):
            (tmp_path / "results_x.json").write_text(json.dumps(given | {key: wrong}))
            try:
                import_files([tmp_path / "results_x.json"])
            except ModelqaError as error:
                assert error.remedy


def test_any_field_of_another_shape_in_a_sample_is_a_clear_error_or_does_no_harm(run):
    samples = next(run.parent.glob("samples_tiny_mcq_*"))
    first, *others = samples.read_text().splitlines()
    for key in json.loads(first):
        for wrong in (None, 3, "text", [], [1], [["x", "y"]], {"a": []}):
            samples.write_text("\n".join([json.dumps(json.loads(first) | {key: wrong}), *others]))
            try:
                import_files([run])
            except ModelqaError as error:
                assert error.remedy


def test_one_run_at_a_time():
    with pytest.raises(DataError, match="2 results files"):
        import_files([CHAT, BASE])
    with pytest.raises(DataError, match="0 results files"):
        import_files([])
    with pytest.raises(DataError, match="lm_eval is a folder"):
        import_files([LOGS / "lm_eval"])
    for missing in ([Path("nowhere/results_1.json")], [CHAT, Path("nowhere/samples_1.jsonl")]):
        with pytest.raises(DataError, match="there is no file nowhere"):
            import_files(missing)


def test_more_than_what_is_read_into_memory_is_refused_before_it_is_read(monkeypatch, tmp_path):
    monkeypatch.setattr(checks, "MAX_FILE_BYTES", 4096)
    with pytest.raises(DataError, match="at most 4096 are read"):
        import_files([CHAT])
    monkeypatch.setattr(inspect_log, "MAX_FILE_BYTES", 4096)
    with pytest.raises(DataError, match="unpacks to"):
        import_files([ARCHIVE])


def test_an_archive_that_unpacks_to_more_than_it_says_is_cut_at_what_it_says(tmp_path):
    """A bomb: a member of 8 MB whose directory entry says 100 bytes."""
    path = tmp_path / "bomb.eval"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", b" " * 8_000_000)
    path.write_bytes(path.read_bytes().replace((8_000_000).to_bytes(4, "little"), (100).to_bytes(4, "little")))
    with pytest.raises(DataError, match="damaged"):
        import_files([path])


# ---- tables


def table(folder: Path, *rows: dict[str, str]) -> Path:
    path = folder / "table.csv"
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


ROW = {"model": "m", "task": "t", "metric": "acc", "value": "36.9", "n": "1000", "unit": "percent", "options": "4"}


def test_a_table_gives_results_and_keeps_columns_of_other_names(tmp_path):
    (result,) = import_files([table(tmp_path, ROW | {"recipe": "letters x5", "few_shot": "0"})]).results
    assert (result.value, result.n, result.right, result.chance) == (pytest.approx(0.369), 1000, 369, 0.25)
    assert result.extra == {"recipe": "letters x5"}
    assert (result.lower, result.upper) == (stats.cp_lower(369, 1000), stats.cp_upper(369, 1000))


def test_what_a_table_leaves_out_is_missing_and_has_no_interval(tmp_path):
    (result,) = import_files([table(tmp_path, ROW | {"n": "", "value": ""})]).results
    assert (result.value, result.n, result.lower, result.chat_template) == (None, None, None, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": "high"}, "value is 'high'"),
        ({"value": "136.9"}, "the rate 136.9"),
        ({"value": "nan"}, "value is 'nan'"),
        ({"n": "0"}, "n is '0'"),
        ({"n": "3.5"}, "n is 3.5"),
        ({"unit": "furlong"}, "the unit 'furlong'"),
        ({"chat_template": "perhaps"}, "chat_template is 'perhaps'"),
    ],
)
def test_a_cell_that_cannot_be_read_names_line_and_column(change, message, tmp_path):
    with pytest.raises(DataError, match=f"line 2: {message}"):
        import_files([table(tmp_path, ROW | change)])


def test_tables_without_a_needed_column_or_with_ragged_lines_are_refused(tmp_path):
    path = tmp_path / "t.csv"
    for text, message in (
        ("model,task,metric\nm,t,acc\n", "no column 'value'"),
        ("model,task,metric,value\nm,t,acc\n", "line 2: not as many cells"),
        ("model,task,metric,value\nm,t,acc,1,2\n", "line 2: not as many cells"),
        ("model,task,metric,value\n", "holds 0 results"),
        ("", "no column 'model'"),
    ):
        path.write_text(text)
        with pytest.raises(DataError, match=message):
            import_files([path])
    path.write_bytes(b"model,task,metric,value\n\xff,t,acc,1\n")
    with pytest.raises(DataError, match="UTF-8"):
        import_files([path])


# ---- the command


def test_the_command_writes_a_record_and_says_what_it_read(tmp_path, capsys):
    assert main(["import", str(CHAT), "--out", str(tmp_path / "chat.json"), "--model", "phase3a2"]) == 0
    shown = capsys.readouterr().out
    assert "phase3a2  tiny_mcq acc  95.0% [78.4%, 99.7%]  n 20  chance 25.0%" in shown
    assert {result.model for result in read_results(tmp_path / "chat.json").results} == {"phase3a2"}


def test_the_command_binds_a_record_to_a_checkpoint(tmp_path):
    from modelqa.checkpoint import open_checkpoint

    folder = Path(__file__).parents[1] / "fixtures" / "checkpoints" / "phase3a2"
    main(["import", str(CHAT), "--out", str(tmp_path / "chat.json"), "--checkpoint", str(folder)])
    assert read_results(tmp_path / "chat.json").weights == open_checkpoint(folder).weights_digest


def test_the_command_ends_with_three_lines_and_no_traceback(tmp_path, capsys):
    assert main(["import", str(tmp_path / "none.json"), "--out", str(tmp_path / "out.json")]) == 4
    shown = capsys.readouterr().err
    assert "reason:" in shown
    assert "remedy:" in shown
    assert "Traceback" not in shown
