"""Stopping early: what is drawn, what is said of the rest, and that nothing else depends on it."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest
from sessions import ANY, TABLE, Suite, record, verdicts

from modelqa import stats
from modelqa.files import read_jsonl
from modelqa.judge import fails_early, judge, rejudge
from modelqa.record import NOT_DRAWN, GateResult, Outcome, Status

BEHAVIOUR = "suites/behaviour/test_b.py"
LOOKS = TABLE + "[stopping]\nfirst = 10\n"
STREAMS = '''
FRAMES = ("Say {}.", "Please repeat {} for me?", "I want to read {} now", "Print this: {}", "{}. Copy that",
          "Which colour is {}?", "Put {} here", "Now show me {} again, exactly", "Write {} once", "Is {} a word?")

def stream(seed, name="s"):
    for number in range(400):
        word = name + "".join("abcdefghij"[int(digit)] for digit in f"{number:03d}")
        yield Case(id=f"{name}/{number}", messages=({"role": "user", "content": FRAMES[number % 10].format(word)},),
                   expect="never", payload=word)

def other(seed):
    yield from stream(seed, "z")
'''
WRONG = (
    "@gate(cases=stream, n=60, threshold=0.8)\ndef test_wrong(case, reply):\n"
    "    assert ask.exact(reply, case.expect)\n"
)
RIGHT = f"@gate(cases=other, n=40, threshold=0.8, {ANY})\ndef test_right(case, reply):\n    assert reply.ids\n"
FOLLOWERS = (
    f"@gate(cases=stream, n=30, informational=True, {ANY})\ndef test_printed(case, reply):\n    assert reply.ids\n"
    f"@gate(cases=stream, n=30, {ANY})\ndef test_many(cases, replies):\n    assert len(cases) == len(replies)\n"
    f"@gate(cases=stream, n=30, {ANY})\ndef test_none(replies):\n    assert not replies\n"
    f'@gate(cases=every("behaviour"), threshold=0.8, {ANY})\ndef test_all(case, reply):\n    assert reply.ids\n'
    f'@gate(cases=every("behaviour"), threshold=1.0, {ANY})\ndef test_form(case, reply):\n    assert reply.stopped\n'
)


def gates(pytester: pytest.Pytester) -> dict[str, dict[str, Any]]:
    return {gate["gate"]: gate for gate in record(pytester)["gates"]}


def asked(pytester: pytest.Pytester) -> int:
    return len(list(read_jsonl(next((pytester.path / ".modelqa" / "runs").rglob("replies.jsonl.zst")))))


def test_a_gate_that_fails_clearly_on_its_first_cases_is_asked_no_more(run: Suite, pytester: pytest.Pytester) -> None:
    result = run({"suites/phases.toml": LOOKS, BEHAVIOUR: STREAMS + WRONG + FOLLOWERS})
    assert result.ret == 1
    found = gates(pytester)
    assert found["wrong"]["verdict"]["text"].startswith("stopped after 10 of 60: 0 right")
    assert (found["wrong"]["verdict"]["total"], found["wrong"]["verdict"]["planned"]) == (10, 60)
    assert found["wrong"]["outcomes"] == {f"s/{n}": "no" if n < 10 else NOT_DRAWN for n in range(60)}
    assert found["wrong"]["looks"] == [10, 60]
    assert record(pytester)["stopping"] == {"first": 10, "decides": "FAIL", "alpha": 0.05}
    assert asked(pytester) == 10
    result.stdout.fnmatch_lines(["*wrong*FAIL*0/10*stopped after 10 of 60*"])


def test_what_follows_a_stopped_stream_can_fail_and_never_pass(run: Suite, pytester: pytest.Pytester) -> None:
    run({"suites/phases.toml": LOOKS, BEHAVIOUR: STREAMS + WRONG + FOLLOWERS})
    found = verdicts(pytester)
    assert found["none"] == ("FAIL", "none.below")
    assert found["form"] == ("FAIL", "form.below"), "one failure is enough where none is allowed"
    assert found["many"] == found["all"] == ("INCONCLUSIVE", "not_drawn")
    assert found["printed"] == ("NOT ASKED", "informational")
    assert gates(pytester)["printed"]["verdict"]["planned"] == 30


def test_a_stream_that_does_not_fail_is_drawn_whole_beside_one_that_does(
    run: Suite, pytester: pytest.Pytester
) -> None:
    run({"suites/phases.toml": LOOKS, BEHAVIOUR: STREAMS + WRONG + RIGHT + FOLLOWERS})
    found = gates(pytester)
    assert found["right"]["verdict"]["status"] == "PASS" and found["right"]["verdict"]["planned"] == 0
    assert found["all"]["verdict"]["code"] == "not_drawn", "not all of its cases were drawn"
    assert asked(pytester) == 10 + 40


def test_a_gate_on_a_stream_of_which_another_can_still_pass_is_drawn_whole(
    run: Suite, pytester: pytest.Pytester
) -> None:
    passing = RIGHT.replace("cases=other", "cases=stream").replace("n=40", "n=60")
    run({"suites/phases.toml": LOOKS, BEHAVIOUR: STREAMS + WRONG + passing})
    found = gates(pytester)
    assert (found["wrong"]["verdict"]["passed"], found["wrong"]["verdict"]["total"]) == (0, 60)
    assert found["right"]["verdict"]["status"] == "PASS"


def test_a_gate_that_needs_more_than_case_and_reply_runs_to_its_fixed_n(run: Suite, pytester: pytest.Pytester) -> None:
    body = WRONG.replace("case, reply)", "case, reply, model)", 1)
    run({"suites/phases.toml": LOOKS, BEHAVIOUR: STREAMS + body})
    assert (gates(pytester)["wrong"]["verdict"]["total"], gates(pytester)["wrong"]["looks"]) == (60, [])


def test_without_a_declared_look_all_cases_are_drawn(run: Suite, pytester: pytest.Pytester) -> None:
    run({BEHAVIOUR: STREAMS + WRONG})
    assert gates(pytester)["wrong"]["verdict"]["total"] == 60 and record(pytester)["stopping"] == {}


def test_a_stopped_record_is_the_same_bytes_for_any_number_of_workers_and_from_kept_replies(
    run: Suite, pytester: pytest.Pytester
) -> None:
    files = {"suites/phases.toml": LOOKS, BEHAVIOUR: STREAMS + WRONG + RIGHT + FOLLOWERS}
    found = []
    for workers, home in (("0", "a"), ("2", "b"), ("4", "c"), ("0", "a")):
        run(files, "-n", workers, "--modelqa-dir", home, subprocess=True)
        found.append([path.read_bytes() for path in (pytester.path / home / "runs").rglob("run.json")])
    assert found[0] == found[1] == found[2] == found[3] and len(found[0]) == 1


def test_a_reply_does_not_depend_on_what_stopped_or_was_selected(run: Suite, pytester: pytest.Pytester) -> None:
    files = {"suites/phases.toml": LOOKS, BEHAVIOUR: STREAMS + RIGHT}
    run({**files, BEHAVIOUR: STREAMS + WRONG + RIGHT}, "-k", "test_right", "--modelqa-dir", "selected")
    run({**files, BEHAVIOUR: STREAMS + WRONG + RIGHT}, "--modelqa-dir", "whole")
    replies = {}
    for name in ("selected", "whole"):
        path = next((pytester.path / name / "runs").rglob("replies.jsonl.zst"))
        replies[name] = {row["key"]: row["reply"] for _, row in read_jsonl(path)}
    assert len(replies["selected"]) == 40 and replies["selected"].items() <= replies["whole"].items()


def test_a_gate_that_stopped_is_not_compared_and_its_baseline_is_not_asked(
    run: Suite, pytester: pytest.Pytester
) -> None:
    against = 'def test_not_worse(baseline, measured):\n    measured["delta"] = baseline.compare("wrong").difference\n'
    table = LOOKS + "[margins]\nwrong = 0.1\n"
    run(
        {"suites/phases.toml": table, BEHAVIOUR: STREAMS + WRONG, "suites/behaviour/test_versus.py": against},
        "--modelqa-baseline", "two",
    )  # fmt: skip
    assert verdicts(pytester)["not_worse"] == ("INCONCLUSIVE", "not_drawn")
    assert asked(pytester) == 10


@pytest.mark.parametrize("value", ["first = 0", "first = true", 'first = "a"', "first = 5\nlast = 9", "last = 9"])
def test_a_look_that_is_no_number_of_cases_is_one_clear_error(
    run: Suite, pytester: pytest.Pytester, value: str
) -> None:
    table = f"{TABLE}[stopping]\n{value}\n"
    result = run({"suites/phases.toml": table, BEHAVIOUR: STREAMS + WRONG})
    result.stdout.fnmatch_lines(["*stopping is*first = NUMBER OF CASES*"])


# -- the verdict -------------------------------------------------------------------------------------------------------


def outcomes(yes: int, no: int, rest: int, *, families: int = 25) -> list[Outcome]:
    results = ["yes"] * yes + ["no"] * no + [NOT_DRAWN] * rest
    return [Outcome(f"c{i}", result, f"f{i * 7 % families}") for i, result in enumerate(results)]


def test_a_first_look_decides_by_its_own_share_of_alpha() -> None:
    share = stats.Schedule((25, 200)).spent(0)
    for yes in range(26):
        drawn = outcomes(yes, 25 - yes, 175)
        groups = [(int(each.result == "yes"), 1) for each in drawn[:25]]
        shown = stats.cp_upper(yes, 25, share) < 0.8 and stats.clustered_upper(groups, share) < 0.8
        assert fails_early(drawn, threshold=0.8, looks=(25, 200)) == shown
        verdict = judge(drawn, gate="echo", threshold=0.8, looks=(25, 200))
        assert (verdict.status, verdict.code) == (
            (Status.FAIL, "echo.below") if shown else (Status.INCONCLUSIVE, "not_drawn")
        )


def test_all_right_on_the_first_cases_is_no_pass() -> None:
    for threshold in (0.5, 1.0):
        assert judge(outcomes(400, 0, 1), gate="g", threshold=threshold, looks=(400, 401)).code == "not_drawn"


def test_a_look_that_was_not_declared_decides_nothing() -> None:
    assert judge(outcomes(0, 30, 170), gate="g", threshold=0.8, looks=(25, 200)).code == "not_drawn"
    assert judge(outcomes(0, 30, 170), gate="g", threshold=0.8).code == "not_drawn"


def test_a_record_that_stopped_early_is_judged_again_as_it_was() -> None:
    drawn = outcomes(2, 23, 175)
    verdict = judge(drawn, gate="g", threshold=0.8, looks=(25, 200))
    result = GateResult(
        "g", "", "behaviour", verdict, outcomes={each.case: each.result for each in drawn},
        families={each.case: int(each.family[1:]) for each in drawn}, looks=(25, 200),
    )  # fmt: skip
    assert rejudge(result, 0.8) == verdict


@pytest.mark.simulation
@pytest.mark.parametrize("correlation", [0.0, 0.1, 0.3])
def test_a_model_at_the_threshold_fails_at_most_so_often_over_both_looks(correlation: float) -> None:
    """The rule of the shipped table: 25 cases, then 200, in 40 families dealt in turn."""
    repeats, rng = 600, Random(f"looks {correlation}")
    strength = 1 / correlation - 1 if correlation else None
    failed = passed = early = 0
    for _ in range(repeats):
        rates = [rng.betavariate(0.8 * strength, 0.2 * strength) if strength else 0.8 for _ in range(40)]
        row = [
            Outcome(f"c{i}", "yes" if rng.random() < rates[i % 40] else "no", f"f{i % 40}") for i in range(200)
        ]
        stopped = fails_early(row[:25], threshold=0.8, looks=(25, 200))
        status = Status.FAIL if stopped else judge(row, gate="g", threshold=0.8, looks=(25, 200)).status
        early, failed, passed = early + stopped, failed + (status is Status.FAIL), passed + (status is Status.PASS)
    print(
        f"correlation {correlation}: false FAIL {failed / repeats:.1%} (at the first look {early / repeats:.1%}), "
        f"false PASS {passed / repeats:.1%}"
    )
    assert max(failed, passed) / repeats <= 0.05 + 3 * (0.05 * 0.95 / repeats) ** 0.5


@pytest.mark.simulation
def test_a_clear_failure_is_seen_at_the_first_look() -> None:
    rng = Random(7)
    for rate, least in ((0.0, 1.0), (0.2, 0.99), (0.4, 0.75)):
        draws = [[rng.random() < rate for _ in range(25)] for _ in range(200)]
        rows = [[Outcome(f"c{i}", "yes" if yes else "no", f"f{i}") for i, yes in enumerate(row)] for row in draws]
        seen = sum(fails_early(row, threshold=0.8, looks=(25, 200)) for row in rows) / len(rows)
        print(f"true rate {rate:.0%} against 80%: stopped after 25 of 200 in {seen:.0%}")
        assert seen >= least


def test_the_shipped_table_declares_its_look() -> None:
    from modelqa.phases import read_phases

    assert read_phases(Path(__file__).parents[1] / "suites" / "phases.toml").first == 25
