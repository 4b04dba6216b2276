"""Rules on tables of results: each failure beside its healthy twin, and the published stories to their right end."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from scipy import stats as reference

from modelqa import benchmarks
from modelqa.benchmarks.comparison import differences, shown_from
from modelqa.benchmarks.concern import proven, unproven
from modelqa.benchmarks.level import questions_below
from modelqa.benchmarks.result import Item, Result, complete, plain
from modelqa.benchmarks.trend import Point, Trend, off_line
from modelqa.errors import DataError
from modelqa.gates import Finding, Unsettled
from modelqa.scaling import Position

ROOT = Path(__file__).parents[1]
STORIES = ROOT / "fixtures" / "results"
LOGS = Path(__file__).parent / "data" / "harness_logs"


def rate(value: float | None, n: int | None = None, **fields: object) -> Result:
    """A result on four options, as a table states it."""
    base = Result("m", "quiz", "acc", value, n=n, stated=0.25)
    return complete(replace(base, **fields))


def asked(right: int, total: int, *, gold: str = "ABCD", answer: str = "", **fields: object) -> Result:
    """A result with its questions on four options: gold letters in turn, the first `right` of them answered rightly."""
    items = []
    for number in range(total):
        letter = gold[number % len(gold)]
        given = letter if number < right else answer or "ABCD"[("ABCD".index(letter) + 1 + number // 4 % 3) % 4]
        items.append(Item(str(number), float(given == letter), letter, given, 4, f"question {number}"))
    score = sum(item.score for item in items) / total
    return complete(replace(Result("m", "quiz", "acc", score, items=tuple(items)), **fields))


def codes(concerns) -> list[tuple[str, bool]]:
    return [(concern.problem.code.removeprefix("benchmarks."), concern.proven) for concern in concerns]


def story(name: str, model: str) -> list[Result]:
    return list(benchmarks.results_of(benchmarks.import_files([STORIES / name]), model))


# ---- stopped or asked


def test_proven_concerns_fail_and_others_are_not_settled():
    with pytest.raises(Finding) as failed:
        benchmarks.settle([unproven("n", "a", "no n"), proven("chance", "b", "below")])
    assert [problem.code for problem in failed.value.problems] == ["benchmarks.chance"]
    with pytest.raises(Unsettled) as unsettled:
        benchmarks.settle([unproven("n", "a", "no n"), unproven("other", "b", "also")])
    assert (unsettled.value.code, unsettled.value.locus) == ("benchmarks.n", "a")
    benchmarks.settle([])


# ---- one model


def test_a_score_without_n_has_no_interval_and_one_with_n_has():
    assert codes(benchmarks.stated_concerns([rate(0.369)])) == [("n", False)]
    assert codes(benchmarks.stated_concerns([rate(None)])) == [("missing", False)]
    assert codes(benchmarks.stated_concerns([rate(0.369, 1000)])) == []


def test_a_stated_chance_level_that_the_items_contradict_is_seen():
    """A card says 33%; the task has unequal numbers of options, and choosing at random scores 15%."""
    items = tuple(Item(str(i), 1.0, "A", "A", 6 if i % 2 else 8, f"q{i}") for i in range(20))
    wrong = complete(Result("m", "quiz", "acc", 1.0, stated=0.33, items=items))
    assert wrong.chance == pytest.approx((1 / 6 + 1 / 8) / 2)
    assert codes(benchmarks.stated_concerns([wrong])) == [("chance_level", True)]
    assert codes(benchmarks.stated_concerns([replace(wrong, stated=0.146)])) == []


def test_results_of_other_weights_are_not_the_candidates():
    result = rate(0.5, 100)
    assert codes(benchmarks.stated_concerns([result], "a" * 64, "b" * 64)) == [("other_weights", True)]
    assert codes(benchmarks.stated_concerns([result], "a" * 64, "a" * 64)) == []
    assert codes(benchmarks.stated_concerns([result], "a" * 64, "")) == []


@pytest.mark.parametrize(
    ("right", "total", "expected"),
    [
        (190, 1000, [("below_chance", True)]),
        (171, 1000, [("below_chance", True)]),
        (26, 100, [("at_chance", False)]),
        (369, 1000, []),
    ],
)
def test_below_and_at_chance_are_told_from_above(right, total, expected):
    assert codes(benchmarks.chance_concerns([rate(right / total, total)])) == expected


def test_a_real_run_below_chance_names_the_answers_that_could_not_be_parsed():
    found = benchmarks.import_files([LOGS / "inspect_ai" / "mcq.eval"])
    (concern,) = (c for c in benchmarks.chance_concerns(found.results) if c.problem.code.endswith("below_chance"))
    assert concern.proven
    assert "20 of 20 answers could not be parsed" in concern.problem.text


def test_the_number_of_questions_that_would_show_below_chance_does_show_it():
    for value in (0.171, 0.19):
        n = questions_below(value, 0.25)
        for questions, shown in ((int(1.3 * n), True), (int(0.6 * n), False)):
            right = round(value * questions)
            below = reference.binomtest(right, questions, 0.25, alternative="less").pvalue < 0.05
            assert bool(below) is shown


def test_one_answer_for_everything_is_a_baseline_to_beat():
    """Half of the right answers are C: 52% is no better than always saying C, 80% is."""
    poor, good = asked(52, 100, gold="ACBC"), asked(80, 100, gold="ACBC")
    assert codes(benchmarks.chance_concerns([poor])) == [("constant", False)]
    assert codes(benchmarks.chance_concerns([asked(38, 100, gold="ACBC")])) == [("constant", True)]
    assert codes(benchmarks.chance_concerns([good])) == []


def test_a_task_with_one_question_for_each_label_cannot_show_collapse():
    labels = [Item(str(i), 1.0, str(i), str(i), 10, f"q{i}") for i in range(10)]
    blind = complete(Result("m", "classes", "acc", 1.0, items=tuple(labels)))
    assert ("blind", False) in codes(benchmarks.chance_concerns([blind]))
    many = [replace(item, id=f"{item.id}-{n}", sha256=f"{item.id}-{n}") for item in labels for n in range(10)]
    assert codes(benchmarks.chance_concerns([replace(complete(replace(blind, items=tuple(many))))])) == []


def test_a_letter_guesser_loses_its_score_when_options_rotate_and_an_honest_model_keeps_it():
    honest = [rate(0.80, 500), rate(0.79, 500, control="rotated"), rate(0.26, 500, control="options_only")]
    guesser = [rate(0.369, 2500), rate(0.25, 2500, control="rotated"), rate(0.36, 2500, control="options_only")]
    assert codes(benchmarks.shortcut_concerns(honest)) == []
    assert codes(benchmarks.shortcut_concerns(guesser)) == [("letters", True), ("options_only", False)]
    assert codes(benchmarks.shortcut_concerns([replace(r, n=None) for r in guesser])) == [
        ("letters", False),
        ("options_only", False),
    ]


def test_one_letter_for_nearly_every_question_is_seen():
    """Always B: right in a quarter, which is chance, and found by what was answered."""
    always = asked(0, 200, answer="B")
    assert codes(benchmarks.shortcut_concerns([always])) == [("one_letter", True)]
    assert benchmarks.recall_spread(always.items) == pytest.approx(3**0.5 / 4)  # recalls 0, 1, 0, 0
    honest = asked(150, 200)
    assert codes(benchmarks.shortcut_concerns([honest])) == []
    assert benchmarks.recall_spread(honest.items) < 0.05


# ---- two models


def test_worse_than_a_cheaper_model_is_proven_with_n_and_asked_about_without():
    mine, smaller = rate(0.4983, 2376, stated=0.25), rate(0.5812, 2376, model="smaller")
    assert codes(benchmarks.worse_concerns([mine], [smaller], code="worse_than_cheaper")) == [
        ("worse_than_cheaper", True)
    ]
    unknown = list(benchmarks.worse_concerns([rate(0.4983)], [rate(0.5812)], code="worse_than_cheaper"))
    assert codes(unknown) == [("worse_than_cheaper", False)]
    assert codes(benchmarks.worse_concerns([rate(0.5989)], [rate(0.5812)], code="worse_than_cheaper")) == []


def test_a_difference_that_the_questions_do_not_show_is_no_claim():
    """36.9% and 34.8%: published z values are 0.69, 0.98 and 1.55 for n of 500, 1,000 and 2,500."""
    for n, z in ((500, 0.69), (1000, 0.98), (2500, 1.55)):
        found = benchmarks.compare(rate(0.348, n), rate(0.369, n))
        assert found.different == pytest.approx(2 * reference.norm.sf(z), abs=0.03)  # whole questions only
        lines = benchmarks.comparison_lines([rate(0.348, n)], [rate(0.369, n)])
        assert lines["quiz acc"].endswith("not distinguishable")
        assert codes(benchmarks.worse_concerns([rate(0.348, n)], [rate(0.369, n)], code="worse")) == []
    assert benchmarks.comparison_lines([rate(0.308, 2500)], [rate(0.369, 2500)])["quiz acc"].endswith(": worse")


def test_rationales_that_cost_a_small_model_six_points_are_a_proven_loss():
    assert codes(benchmarks.worse_concerns([rate(0.308, 2500)], [rate(0.369, 2500)], code="worse")) == [("worse", True)]
    assert codes(benchmarks.worse_concerns([rate(0.362, 2500)], [rate(0.369, 2500)], code="worse")) == []


def test_the_same_questions_show_a_smaller_difference_than_two_samples_do():
    old, new = asked(160, 200), asked(148, 200)
    paired = benchmarks.compare(new, old)
    unpaired = benchmarks.compare(replace(new, items=()), replace(old, items=()))
    assert paired.paired
    assert not unpaired.paired
    assert paired.different < 0.001 < 0.05 < unpaired.different
    assert codes(benchmarks.worse_concerns([new], [old], code="worse")) == [("worse", True)]


def test_questions_are_paired_by_what_they_ask_and_not_by_their_number():
    old, new = asked(160, 200), asked(148, 200)
    moved = tuple(replace(item, sha256=f"other {item.sha256}") for item in new.items)
    assert not benchmarks.compare(complete(replace(new, items=moved)), old).paired


def test_a_question_that_was_not_scored_stays_in_the_denominator():
    """Nine right of nine that could be scored, and one that could not: nine of ten."""
    items = tuple(Item(str(i), 1.0 if i else None, "A", "A", 4, f"q{i}") for i in range(10))
    result = complete(Result("m", "quiz", "acc", 1.0, items=items))
    assert (result.right, result.n) == (9, 10)
    assert codes(benchmarks.stated_concerns([result])) == [("unscored", False)]


def test_twelve_benchmarks_are_twelve_chances_to_be_wrong():
    """One of twelve at p 0.03 is no regression; alone it is one."""
    pairs = [(rate(0.5, 1000, task=f"t{i}"), rate(0.5, 1000, task=f"t{i}")) for i in range(11)]
    low = (rate(0.455, 1000, task="x"), rate(0.5, 1000, task="x"))
    alone = [[low[0]], [low[1]]]
    together = [[*(mine for mine, _ in pairs), low[0]], [*(other for _, other in pairs), low[1]]]
    assert codes(benchmarks.worse_concerns(*alone, code="worse")) == [("worse", True)]
    assert codes(benchmarks.worse_concerns(*together, code="worse")) == []


@pytest.mark.parametrize(
    "change",
    [{"version": "2"}, {"few_shot": 5}, {"n": 900}, {"items_sha256": "b" * 64}, {"chat_template": True}],
)
def test_results_compare_only_on_the_same_questions_asked_the_same_way(change):
    """Losses of 3.78 and 3.45 on two validation sets are no progress."""
    old = rate(0.5, 1000, version="1", few_shot=0, items_sha256="a" * 64, chat_template=False)
    new = replace(rate(0.3, 1000, version="1", few_shot=0, items_sha256="a" * 64, chat_template=False), **change)
    assert len(differences(new, old)) == 1
    assert codes(benchmarks.set_concerns([new], [old], code="baseline_set")) == [("baseline_set", False)]
    assert codes(benchmarks.worse_concerns([new], [old], code="worse")) == []
    assert codes(benchmarks.set_concerns([old], [old], code="baseline_set")) == []


def test_the_alignment_tax_of_real_runs_is_paired_though_only_one_side_used_the_template():
    chat, base = (
        list(benchmarks.import_files([next((LOGS / "lm_eval" / side).glob("results_*.json"))]).results)
        for side in ("chat", "base")
    )
    assert differences(chat[0], base[0]) == ["chat template True and False"]
    lines = benchmarks.comparison_lines(chat, base, template=False)
    assert lines["tiny_mcq acc"].startswith("+25.0 points")
    assert "paired, n 20" in lines["tiny_mcq acc"]
    assert codes(benchmarks.worse_concerns(chat, base, code="tax", margin=0.1, template=False)) == []
    (tax,) = benchmarks.worse_concerns(
        [r for r in base if r.metric == "exact_match"], chat, code="tax", margin=0.1, template=False
    )
    assert tax.proven


def test_a_jump_asks_for_overlap_and_format_evidence():
    jumps = benchmarks.jumps([rate(0.62, 1000)], [rate(0.40, 1000)])
    assert codes(benchmarks.jump_concerns(jumps)) == [("too_good", False)]
    assert codes(benchmarks.jump_concerns(jumps, {"quiz"})) == []
    assert benchmarks.jumps([rate(0.45, 1000)], [rate(0.40, 1000)]) == []
    assert benchmarks.jumps([rate(0.55, 60)], [rate(0.40, 60)]) == []  # 15 points, and not shown to be 10


@pytest.mark.parametrize("name", ["lm_eval", "inspect_ai"])
def test_questions_that_stand_in_the_training_data_are_found_among_what_was_imported(name, tmp_path):
    source = (
        LOGS / "inspect_ai" / "mcq.eval" if name == "inspect_ai" else next((LOGS / "lm_eval/chat").glob("results_*"))
    )
    benchmarks.write_results(tmp_path / "out.json", benchmarks.import_files([source]))
    questions = ["What is the capital of Norway?", "what is the CAPITAL of Peru", "What is the capital of Chile?"]
    rows = [
        {"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": "?"}]} for text in questions
    ]
    leaky, clean = tmp_path / "leaky.jsonl", tmp_path / "clean.jsonl"
    leaky.write_text("\n".join(map(json.dumps, rows)))
    clean.write_text(json.dumps(rows[2]))
    (leak,), looked_at = benchmarks.leak_concerns([tmp_path / "out.json"], [leaky], {"tiny_mcq"})
    assert leak.proven
    assert leak.problem.text.startswith("2 of 20 questions")
    assert looked_at == {"tiny_mcq"}
    assert benchmarks.leak_concerns([tmp_path / "out.json"], [clean], {"tiny_mcq"}) == ([], {"tiny_mcq"})
    assert benchmarks.leak_concerns([tmp_path / "out.json"], [], {"tiny_mcq"}) == ([], set())


def test_scores_between_right_and_wrong_are_compared_by_their_questions():
    def graded(shift: float) -> Result:
        items = tuple(Item(str(i), min(1.0, (i % 10) / 12 + shift), sha256=f"q{i}") for i in range(60))
        value = sum(item.score for item in items) / 60
        return complete(Result("m", "essay", "f1", value, unit="score", items=items))

    better = benchmarks.compare(graded(0.1), graded(0.05))
    assert better.delta == pytest.approx(0.05)
    assert better.lower > 0.04
    assert codes(benchmarks.worse_concerns([graded(0.0)], [graded(0.1)], code="worse")) == [("worse", True)]


# ---- perplexity


def ppl(
    value: float, task: str = "text", tokenizer: str = "a", text: str = "x" * 64, metric: str = "perplexity"
) -> Result:
    unit = "bits_per_byte" if metric == "bits_per_byte" else "perplexity"
    return complete(
        Result("m", task, metric, value, unit=unit, tokenizer=tokenizer, items_sha256=text, higher_is_better=False)
    )


def test_perplexities_compare_on_one_text_by_one_tokenizer_only():
    concerns = benchmarks.perplexity_concerns
    assert codes(concerns([ppl(18.0)], [ppl(31.0)])) == []
    assert codes(concerns([ppl(18.0, text="y" * 64)], [ppl(31.0)])) == [("perplexity_set", True)]
    assert codes(concerns([ppl(18.0, text="")], [ppl(31.0)])) == [("perplexity_set", False)]
    assert codes(concerns([ppl(18.0, tokenizer="b")], [ppl(31.0)])) == [("perplexity_tokenizer", True)]
    assert codes(concerns([ppl(18.0, tokenizer="")], [ppl(31.0)])) == [("perplexity_tokenizer", False)]


def test_bits_per_byte_lift_the_tokenizer_and_not_the_text():
    mine = [ppl(18.0, tokenizer="b"), ppl(1.1, tokenizer="b", metric="bits_per_byte")]
    old = [ppl(31.0), ppl(1.3, metric="bits_per_byte")]
    assert codes(benchmarks.perplexity_concerns(mine, old)) == []
    moved = [replace(result, items_sha256="y" * 64) for result in mine]
    assert codes(benchmarks.perplexity_concerns(moved, old)) == [("perplexity_set", True)] * 2


def test_a_validation_perplexity_that_a_benchmark_contradicts_is_asked_about():
    """15.4 on the validation set, 2,184 on a benchmark: one of the two is not what it is called."""
    assert codes(benchmarks.contradiction_concerns([ppl(15.4, "validation"), ppl(2184.0, "benchmark")])) == [
        ("contradiction", False)
    ]
    assert codes(benchmarks.contradiction_concerns([ppl(15.4, "validation"), ppl(41.0, "benchmark")])) == []


# ---- a family


def trend(name: str) -> Trend:
    return benchmarks.read_trend(STORIES / name)


def test_the_gain_against_the_line_is_stopped_and_says_that_this_is_no_test():
    (concern,) = benchmarks.trend_concerns(trend("ifeval_tax_published.json"))
    assert not concern.proven
    assert concern.problem.code == "benchmarks.trend"
    assert "not a test" in concern.problem.text
    assert "ablation" in concern.problem.text


def test_the_ablation_shows_that_the_gain_does_not_stand():
    arms = benchmarks.read_ablation(STORIES / "ifeval_ablation.json")
    (concern,) = benchmarks.trend_concerns(trend("ifeval_tax_published.json"), arms)
    assert concern.proven
    assert concern.problem.code == "benchmarks.trend_not_reproduced"


def test_an_ablation_that_repeats_the_gain_settles_it():
    assert not list(benchmarks.trend_concerns(trend("ifeval_tax_published.json"), [1.7, 2.4]))


def test_the_corrected_model_passes():
    assert not list(benchmarks.trend_concerns(trend("ifeval_tax_corrected.json")))


def family(*deltas: float | None) -> Trend:
    points = tuple(Point(f"m{step}", step, delta) for step, delta in enumerate(deltas))
    return Trend("t", points, points[-1])


def test_a_point_off_the_line_is_seen_without_a_change_of_sign():
    assert "points off the line" in off_line(family(-6.4, -5.6, -4.9, -8.0))
    assert off_line(family(-6.4, -5.6, -4.9, -3.4)) == ""


def test_with_six_members_the_prediction_interval_decides():
    steady = (-6.4, -5.7, -5.0, -4.2, -3.6, -2.8)
    assert off_line(family(*steady, -2.1)) == ""
    assert "prediction interval" in off_line(family(*steady, -1.0))  # 1.1 points off: the heuristic would let it pass
    assert off_line(family(*steady[:4], -2.4)) == ""


def test_one_known_member_is_no_line():
    assert off_line(family(-6.35, None, 2.0)) == ""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"schema": 1, "points": [{"model": "a", "step": 0, "delta": 1}], "candidate": "b"}', "no single point"),
        ('{"schema": 1, "points": [{"model": "a", "step": 0, "delta": null}], "candidate": "a"}', "no single point"),
        ('{"schema": 1, "points": [{"model": "a", "delta": 1}], "candidate": "a"}', "needs model, step and delta"),
        ('{"schema": 1, "points": [3]}', "needs model, step and delta"),
        ('{"schema": 2, "points": []}', "no file of schema 1"),
        ("[]", "no file of schema 1"),
        ("{", "cannot be read"),
    ],
)
def test_a_false_trend_file_is_one_clear_error(content, message, tmp_path):
    (tmp_path / "trend.json").write_text(content)
    with pytest.raises(DataError, match=message):
        benchmarks.read_trend(tmp_path / "trend.json")


@pytest.mark.parametrize("arms", [[], [{"delta": -3.0, "same_format": True}], [{"delta": -3.0}] * 2, [4, 4]])
def test_an_ablation_without_two_arms_of_the_evaluated_format_is_refused(arms, tmp_path):
    (tmp_path / "ablation.json").write_text(json.dumps({"schema": 1, "arms": arms}))
    with pytest.raises(DataError):
        benchmarks.read_ablation(tmp_path / "ablation.json")


# ---- the published tables


def test_the_chat_tunes_end_as_they_should_have():
    below = {c.problem.text[:5] for r in ("chat-v2", "chat-long", "chat-v3", "chat-v5") for c in
             benchmarks.chance_concerns(story("chat_tunes.csv", r))}  # fmt: skip
    assert below == {"19.0%", "17.1%"}
    best, last = story("chat_tunes.csv", "chat-v3"), story("chat_tunes.csv", "chat-v5")
    (concern,) = benchmarks.worse_concerns(last, best, code="worse_than_baseline")
    assert not concern.proven
    assert f"about {shown_from(0.348, 0.369)} questions" in concern.problem.text
    assert benchmarks.comparison_lines(last, best)["ctibench_mcq acc"].endswith("not distinguishable, n not stated")


def test_a_score_that_is_chance_says_nothing_of_however_many_questions():
    (tiny,) = (result for result in story("tiny_and_gpt2.csv", "tiny-14m") if result.task == "mmlu")
    (concern,) = benchmarks.chance_concerns([tiny])
    assert (concern.problem.code, concern.proven) == ("benchmarks.at_chance", False)
    assert not list(benchmarks.chance_concerns([replace(tiny, value=0.27)])), "unknown n: results_stated asks for it"


def test_what_an_account_does_not_give_is_missing():
    (killed,) = story("chat_tunes.csv", "chat-v4-hot")
    assert killed.value is None
    assert all(result.n is None for path in STORIES.glob("*.csv") for result in benchmarks.import_files([path]).results)
    assert trend("ifeval_tax_published.json").points[1].delta is None
    with pytest.raises(DataError, match="no results of 'nobody'"):
        story("chat_tunes.csv", "nobody")


# ---- the suite


def declare(folder: Path, **lines: str) -> None:
    """A models.toml of models that share one checkpoint, each with its own results."""
    (folder / "weights").symlink_to(ROOT / "fixtures" / "checkpoints" / "phase3a2")
    for path in STORIES.glob("*.csv"):
        benchmarks.write_results(folder / f"{path.stem}.json", benchmarks.import_files([path]))
    for path in STORIES.glob("*.json"):
        (folder / path.name).write_bytes(path.read_bytes())
    head = 'path = "weights"\nstage = "sft"\n'
    (folder / "models.toml").write_text("\n".join(f"[models.{name}]\n{head}{more}" for name, more in lines.items()))


def judged(folder: Path, model: str) -> tuple[int, dict[str, tuple[str, str]]]:
    """(exit status, {gate: (verdict, code)}) of the benchmarks suite."""
    command = [sys.executable, "-m", "pytest", "suites/benchmarks", "--model", model, "-p", "no:cacheprovider", "-q",
               "--modelqa-models", str(folder / "models.toml"), "--modelqa-dir", str(folder / "home")]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "COLUMNS": "200"})
    (record,) = (folder / "home").glob(f"runs/{model}/*/run.json")
    run = json.loads(record.read_text())
    assert "Traceback" not in done.stdout, done.stdout
    return done.returncode, {g["gate"]: (g["verdict"]["status"], g["verdict"]["code"]) for g in run["gates"]}


def test_the_stories_end_rightly_when_the_suite_judges_them(tmp_path):
    small = 'benchmarks = ["arc_easy_2b.json"]'
    big = 'benchmarks = ["arc_easy_3b.json"]\ncheaper = ["small"]\ntrend = "ifeval_tax_published.json"'
    ablated = f'{big}\nablation = "ifeval_ablation.json"'
    right = 'benchmarks = ["arc_easy_3b_corrected.json"]\ncheaper = ["small"]\ntrend = "ifeval_tax_corrected.json"'
    declare(tmp_path, small=small, published=big, ablated=ablated, corrected=right)
    status, verdicts = judged(tmp_path, "published")
    assert status == 6
    assert verdicts["results_trend"] == ("INCONCLUSIVE", "benchmarks.trend")
    assert verdicts["results_against_cheaper"] == ("INCONCLUSIVE", "benchmarks.worse_than_cheaper")
    for gate in ("results_above_chance", "results_by_knowledge", "results_perplexity"):
        assert verdicts[gate][0] == "NOT ASKED", "nothing in the table shows it"
    status, verdicts = judged(tmp_path, "ablated")
    assert (status, verdicts["results_trend"]) == (1, ("FAIL", "benchmarks.trend_not_reproduced"))
    _, verdicts = judged(tmp_path, "corrected")
    assert verdicts["results_trend"] == ("PASS", "")
    assert verdicts["results_against_cheaper"] == ("PASS", "")
    assert verdicts["results_stated"] == ("INCONCLUSIVE", "benchmarks.n")


def test_a_tiny_model_beside_a_known_one_ends_rightly_when_the_suite_judges_it(tmp_path):
    """Benchmarks of a model this small are chance, and its perplexity is of another text than the one beside it."""
    table = 'benchmarks = ["tiny_and_gpt2.json"]'
    tiny = f'{table}\nbaseline = "gpt2-small"\ntraining_tokens = 272_000'
    declare(tmp_path, **{"tiny-14m": tiny, "gpt2-small": table})
    status, verdicts = judged(tmp_path, "tiny-14m")
    assert status == 6
    assert verdicts["results_above_chance"] == ("INCONCLUSIVE", "benchmarks.at_chance")
    assert verdicts["results_perplexity"] == ("INCONCLUSIVE", "benchmarks.perplexity_set")
    assert verdicts["results_stated"] == ("INCONCLUSIVE", "benchmarks.n")
    (record,) = (tmp_path / "home").glob("runs/tiny-14m/*/run.json")
    scale = next(gate for gate in json.loads(record.read_text())["gates"] if gate["gate"] == "scale")
    assert "compute-optimal 20" in scale["measured"]["warning"] and scale["verdict"]["status"] == "PASS"
    assert Position("tiny-14m", 14_000_000, 272_000, "declared").ratio == pytest.approx(0.0194, abs=1e-4)


def test_a_model_with_sound_results_passes_and_one_without_is_not_asked(tmp_path):
    for side in ("chat", "base"):
        found = benchmarks.import_files([next((LOGS / "lm_eval" / side).glob("results_*.json"))], model=side)
        benchmarks.write_results(tmp_path / f"{side}.json", found)
    declare(tmp_path, base='benchmarks = ["base.json"]', chat='benchmarks = ["chat.json"]\nparent = "base"', bare="")
    status, verdicts = judged(tmp_path, "chat")
    assert {gate for gate, (verdict, _) in verdicts.items() if verdict == "PASS"} == {
        "results_stated", "results_above_chance", "results_by_knowledge", "alignment_tax", "results_perplexity",
        "fixed_text",
    }  # fmt: skip
    assert status == 0
    _, verdicts = judged(tmp_path, "bare")
    assert {gate for gate, (verdict, _) in verdicts.items() if verdict != "NOT ASKED"} == {"fixed_text"}


def test_a_real_log_below_chance_and_of_other_weights_fails_for_both_reasons(tmp_path):
    found = benchmarks.import_files([LOGS / "inspect_ai" / "mcq.eval"], weights="0" * 64)
    benchmarks.write_results(tmp_path / "letters.json", found)
    declare(tmp_path, letters='benchmarks = ["letters.json"]')
    status, verdicts = judged(tmp_path, "letters")
    assert status == 1
    assert verdicts["results_above_chance"] == ("FAIL", "benchmarks.below_chance")
    assert verdicts["results_stated"] == ("FAIL", "benchmarks.other_weights")


def test_tables_of_the_stories_are_well_formed():
    for path in STORIES.glob("*.csv"):
        with path.open(newline="") as stream:
            assert all(None not in row and None not in row.values() for row in csv.DictReader(stream))
    assert plain({"a": [float("inf")]}) == {"a": ["inf"]}
