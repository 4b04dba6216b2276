"""The plugin: pytest inside pytest, on tiny random checkpoints that are really loaded and really asked."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sessions import ANY, HEAD, TABLE, Suite, record, verdicts

BEHAVIOUR = "suites/behaviour/test_b.py"


def test_a_gate_whose_cases_all_say_yes_passes(run: Suite, pytester: pytest.Pytester) -> None:
    text = f'@gate(cases="cases.jsonl", threshold=0.5, {ANY})\ndef test_g(case, reply):\n    assert reply.ids\n'
    result = run({BEHAVIOUR: text})
    assert result.ret == 0
    gate = record(pytester)["gates"][0]
    assert (gate["verdict"]["status"], gate["verdict"]["passed"], gate["verdict"]["total"]) == ("PASS", 8, 8)
    assert set(gate["outcomes"].values()) == {"yes"}


def test_a_gate_whose_cases_all_say_no_fails_and_shows_what_was_asked(run: Suite, pytester: pytest.Pytester) -> None:
    body = "def test_g(case, reply):\n    assert ask.exact(reply, case.expect)\n"
    text = f'@gate(cases="cases.jsonl", threshold=0.5)\n{body}'
    result = run({BEHAVIOUR: text})
    assert result.ret == 1
    assert verdicts(pytester) == {"g": ("FAIL", "g.below")}
    result.stdout.fnmatch_lines(["FAIL  g  0/8*", "*asked    <|im_start|>*", "*expected apple*", "verdict: FAIL*"])


def test_a_gate_that_a_null_policy_passes_is_toothless(run: Suite, pytester: pytest.Pytester) -> None:
    text = '@gate(cases="cases.jsonl", threshold=0.5)\ndef test_g(case, reply):\n    assert reply.raw is not None\n'
    assert run({BEHAVIOUR: text}).ret == 6
    assert verdicts(pytester) == {"g": ("INCONCLUSIVE", "toothless")}


def test_a_plural_gate_is_asked_once_of_all_replies(run: Suite, pytester: pytest.Pytester) -> None:
    text = (
        f'@gate(cases="cases.jsonl", {ANY})\ndef test_g(cases, replies):\n    assert len(cases) == len(replies) == 8\n'
    )
    assert run({BEHAVIOUR: text}).ret == 0


def test_a_plural_gate_without_cases_is_inconclusive(run: Suite, pytester: pytest.Pytester) -> None:
    body = "def test_g(replies):\n    assert 1 / len(replies)\n"
    text = f'@gate(cases=every("behaviour"), {ANY})\n{body}'
    assert run({BEHAVIOUR: text}).ret == 6
    assert verdicts(pytester) == {"g": ("INCONCLUSIVE", "no_cases")}


@pytest.mark.parametrize(
    "body",
    [
        "raise KeyError('x')",
        "return True",
        "pass",
        "import json; json.loads('{')",
        "for _ in []:\n        assert False",
    ],
)
def test_a_bug_in_a_gate_is_a_crash_and_no_verdict(run: Suite, pytester: pytest.Pytester, body: str) -> None:
    text = f'@gate(cases="cases.jsonl", threshold=0.5, {ANY})\ndef test_g(case, reply):\n    {body}\n'
    assert run({BEHAVIOUR: text}).ret == 6
    assert verdicts(pytester) == {"g": ("INCONCLUSIVE", "crashed")}


@pytest.mark.parametrize("body", ["return checkpoint.tensors == {}", "return True"])
def test_a_check_that_returns_instead_of_asserting_is_a_crash(run: Suite, pytester: pytest.Pytester, body: str) -> None:
    assert run({"suites/weights/test_w.py": f"def test_w(checkpoint):\n    {body}\n"}).ret == 6
    assert verdicts(pytester) == {"w": ("INCONCLUSIVE", "crashed")}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("open('/no/such/file')", ["/no/such/file cannot be used", "reason: No such file", "remedy: correct the path"]),
        (
            "import modelqa.files as files\n    list(files.read_jsonl(checkpoint.path / 'model.safetensors'))",
            ["model.safetensors", "reason: ", "remedy: "],
        ),
    ],
)
def test_a_file_that_a_check_cannot_use_is_told_without_a_traceback(
    run: Suite, pytester: pytest.Pytester, body: str, says: list[str]
) -> None:
    result = run({"suites/weights/test_w.py": f"def test_w(checkpoint):\n    {body}\n    assert checkpoint.tensors\n"})
    assert result.ret == 6
    assert verdicts(pytester) == {"w": ("INCONCLUSIVE", "unusable")}
    shown = result.stdout.str()
    assert all(text in shown for text in says)
    assert "Traceback" not in shown and "errors.py" not in shown and "test_w.py:" not in shown
    assert "evidence:  unusable at w" in shown


def test_xfail_does_not_swallow_a_crash(run: Suite, pytester: pytest.Pytester) -> None:
    text = (
        f'import pytest\n@pytest.mark.xfail(strict=True)\n@gate(cases="cases.jsonl", threshold=0.5, {ANY})\n'
        "def test_g(case, reply):\n    raise KeyError('x')\n"
    )
    result = run({BEHAVIOUR: text})
    assert result.ret == 6
    result.assert_outcomes(failed=1)


def test_xfail_and_skipif_work_as_ever_and_the_record_says_so(run: Suite, pytester: pytest.Pytester) -> None:
    text = (
        "import pytest\n"
        '@pytest.mark.xfail(strict=True)\n@gate(cases="cases.jsonl", threshold=0.5)\n'
        "def test_known(case, reply):\n    assert ask.exact(reply, case.expect)\n"
        f'@pytest.mark.skipif(True, reason="not here")\n@gate(cases="cases.jsonl", threshold=0.5, {ANY})\n'
        "def test_skipped(case, reply):\n    assert reply.ids\n"
    )
    result = run({BEHAVIOUR: text})
    result.assert_outcomes(xfailed=1, skipped=1)
    assert verdicts(pytester) == {"known": ("FAIL", "known.below"), "skipped": ("NOT RUN", "not_run")}
    assert result.ret == 1


def test_an_assert_in_a_library_is_no_verdict_on_the_model(run: Suite, pytester: pytest.Pytester) -> None:
    body = "def test_g(case, reply):\n    helper_mod.f()\n"
    text = f'import helper_mod\n@gate(cases="cases.jsonl", threshold=0.5, {ANY})\n{body}'
    pytester.makepyfile(helper_mod="def f():\n    assert False, 'inside a library'\n")
    pytester.syspathinsert()
    assert run({BEHAVIOUR: text}).ret == 6
    assert verdicts(pytester) == {"g": ("INCONCLUSIVE", "crashed")}


WEIGHTS = "suites/weights/test_w.py"
GOOD = f'@gate(cases="cases.jsonl", threshold=0.5, {ANY})\ndef test_g(case, reply):\n    assert reply.ids\n'


def test_when_a_lower_rung_fails_what_stands_above_is_inconclusive(run: Suite, pytester: pytest.Pytester) -> None:
    check = 'def test_w(checkpoint):\n    deny([Problem("weights.untied", "lm_head.weight", "two matrices")])\n'
    result = run({WEIGHTS: check, BEHAVIOUR: GOOD})
    assert result.ret == 1
    assert verdicts(pytester) == {"w": ("FAIL", "weights.untied"), "g": ("INCONCLUSIVE", "lower_rung")}
    assert record(pytester)["gates"][0]["verdict"]["locus"] == "lm_head.weight"
    result.stdout.fnmatch_lines(["*the weights rung failed (w)*", "1. weights.untied*"])


def test_a_failing_harness_is_never_reported_as_a_failing_model(run: Suite, pytester: pytest.Pytester) -> None:
    check = "def test_h(lab):\n    assert False, 'the reference answers nothing'\n"
    assert run({"suites/harness/test_h.py": check, BEHAVIOUR: GOOD}).ret == 6
    assert {status for status, _ in verdicts(pytester).values()} == {"INCONCLUSIVE"}


def test_a_check_without_evidence_is_inconclusive_for_a_declared_model(run: Suite, pytester: pytest.Pytester) -> None:
    check = "def test_w(checkpoint):\n    no_evidence('train = [...]')\n"
    assert run({WEIGHTS: check}).ret == 6
    assert verdicts(pytester) == {"w": ("INCONCLUSIVE", "no_evidence")}


def test_the_same_check_is_not_asked_of_a_bare_folder(run: Suite, pytester: pytest.Pytester, models: Path) -> None:
    import shutil

    check = (
        "def test_w(checkpoint):\n    no_evidence('train = [...]')\n"
        "def test_v(checkpoint):\n    assert checkpoint.tensors\n"
    )
    bare = shutil.copytree(models / "one", pytester.path / "bare")
    result = run({WEIGHTS: check}, model=str(bare))
    assert result.ret == 0
    assert verdicts(pytester) == {"w": ("NOT ASKED", "no_evidence"), "v": ("PASS", "")}
    result.stdout.fnmatch_lines(["*cannot be released*"])


def test_a_gate_of_a_later_phase_is_not_asked(run: Suite, pytester: pytest.Pytester) -> None:
    table = TABLE + '[gates.g]\nearly = { from = "late", because = "taught late" }\nlate = 0.5\n'
    result = run({"suites/phases.toml": table, BEHAVIOUR: GOOD + WEIGHT_FREE}, "--modelqa-phase", "early")
    assert verdicts(pytester)["g"] == ("NOT ASKED", "later_phase")
    result.stdout.fnmatch_lines(["*blocks a release*"])


WEIGHT_FREE = "def test_there_is_a_model(model):\n    assert model.name\n"


def test_a_selection_is_visible_in_the_record_as_not_run(run: Suite, pytester: pytest.Pytester) -> None:
    assert (
        run({WEIGHTS: "def test_w(checkpoint):\n    assert checkpoint.files\n", BEHAVIOUR: GOOD}, "-k", "test_w").ret
        == 6
    )
    assert verdicts(pytester) == {"w": ("PASS", ""), "g": ("NOT RUN", "deselected")}


def test_a_reply_does_not_depend_on_the_selection(run: Suite, pytester: pytest.Pytester) -> None:
    other = GOOD.replace("test_g", "test_other").replace("cases.jsonl", "more.jsonl")
    more = "\n".join(json.dumps({"id": f"m{i}", "prompt": f"Print {'word ' * i}{i}"}) for i in range(30))
    files = {BEHAVIOUR: GOOD + other, "suites/behaviour/more.jsonl": more}
    run(files, "-k", "test_g", "--modelqa-dir", "selected")
    run(files, "--modelqa-dir", "whole")
    replies = {}
    for name in ("selected", "whole"):
        from modelqa.files import read_jsonl

        path = next((pytester.path / name / "runs").rglob("replies.jsonl.zst"))
        replies[name] = {row["key"]: row["reply"] for _, row in read_jsonl(path)}
    assert len(replies["selected"]) == 8 < len(replies["whole"])
    assert replies["selected"].items() <= replies["whole"].items()


def test_the_record_is_the_same_bytes_for_any_number_of_workers(run: Suite, pytester: pytest.Pytester) -> None:
    files = {WEIGHTS: "def test_w(checkpoint):\n    assert checkpoint.files\n", BEHAVIOUR: GOOD}
    found = []
    for workers in ("0", "2", "4"):
        assert run(files, "-n", workers, "--modelqa-dir", f"home{workers}", subprocess=True).ret == 0
        path = next((pytester.path / f"home{workers}" / "runs").rglob("run.json"))
        found.append(path.read_bytes())
    assert found[0] == found[1] == found[2]


def test_a_killed_worker_leaves_its_gates_not_run(run: Suite, pytester: pytest.Pytester) -> None:
    killer = "import os, signal\ndef test_w(checkpoint):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    result = run({WEIGHTS: killer, BEHAVIOUR: GOOD}, "-n", "2", subprocess=True)
    assert verdicts(pytester)["w"] == ("NOT RUN", "not_run")
    assert result.ret == 6


def test_when_generation_dies_every_reply_gate_says_so_at_once(run: Suite, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        "import os, signal\nfrom modelqa.generate import LocalEngine\n"
        "LocalEngine.replies = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    result = run({BEHAVIOUR: GOOD + GOOD.replace("test_g", "test_h")}, "-n", "2", subprocess=True)
    assert result.ret == 6
    assert {status for status, _ in verdicts(pytester).values()} == {"NOT RUN"}
    assert "died" in {code for _, code in verdicts(pytester).values()}


def test_an_interrupt_keeps_the_replies_already_made(run: Suite, pytester: pytest.Pytester) -> None:
    cases = "".join(f'{{"id": "c{n}", "prompt": "Say {chr(97 + n // 26)}{chr(97 + n % 26)}."}}\n' for n in range(96))
    files = {BEHAVIOUR: GOOD, "suites/behaviour/cases.jsonl": cases}
    pytester.makeconftest(
        "from modelqa.generate import LocalEngine\n"
        "made = LocalEngine.replies\n"
        "def replies(*a, **k):\n"
        "    for number, reply in enumerate(made(*a, **k)):\n"
        "        if number == 70:\n"
        "            raise KeyboardInterrupt\n"
        "        yield reply\n"
        "LocalEngine.replies = replies\n"
    )
    assert run(files, subprocess=True).ret == pytest.ExitCode.INTERRUPTED
    assert verdicts(pytester)["g"] == ("NOT RUN", "died")
    pytester.makeconftest(
        "from modelqa.generate import LocalEngine\n"
        "made = LocalEngine.replies\n"
        "def replies(engine, prompts, *, wanted, **k):\n"
        "    print('missing', len(wanted))\n"
        "    return made(engine, prompts, wanted=wanted, **k)\n"
        "LocalEngine.replies = replies\n"
    )
    result = run(files, "-s", subprocess=True)
    assert verdicts(pytester)["g"][0] == "PASS"
    missing = int(re.search(r"missing (\d+)", result.stdout.str())[1])  # type: ignore[index]
    assert 0 < missing <= 96 - 64  # two whole batches of 32 were kept


def test_what_a_check_read_is_kept_until_a_file_or_the_suite_changes(run: Suite, pytester: pytest.Pytester) -> None:
    read = pytester.path / "read.txt"
    read.write_text("7")
    counted = (
        "from pathlib import Path\nFILE = Path('read.txt').absolute()\n"
        "def test_w(kept, measured):\n"
        "    def number():\n"
        "        Path('times').write_text(Path('times').read_text() + 'x' if Path('times').exists() else 'x')\n"
        "        return {'b': int(FILE.read_text()), 'a': 1}\n"
        "    measured['read'] = str(kept([FILE], number))\n"
    )
    times = []
    for suite, text in ((counted, "7"), (counted, "7"), (counted, "8"), (counted + "#\n", "8")):
        read.write_text(text)
        assert run({WEIGHTS: suite}, subprocess=True).ret == 0  # the hash of a suite is found once in a process
        assert record(pytester)["gates"][0]["measured"]["read"] == f"{{'a': 1, 'b': {text}}}"  # fresh or kept alike
        times.append(len((pytester.path / "times").read_text()))
    assert times == [1, 1, 2, 3]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """A function from mount options to a folder on a small disk of its own; called again, it changes the options."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = False

    def mount(options: str) -> Path:
        nonlocal mounted
        again = "remount," if mounted else ""
        made = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", again + options, "tmpfs", str(folder)], capture_output=True, text=True
        )
        if made.returncode:
            pytest.skip(f"a small disk needs the right to mount one: {made.stderr.strip()}")
        mounted = True
        return folder

    if not shutil.which("mount"):
        pytest.skip("a small disk needs the command mount")
    yield mount
    if mounted:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize(("options", "reason"), [("size=16k", "No space left|full"), ("ro", "Read-only|read-only")])
def test_a_disk_that_takes_nothing_is_one_clear_error_and_a_later_run_goes_on(
    run: Suite, disk: Callable[[str], Path], options: str, reason: str
) -> None:
    home = str(disk(options) / "home")
    failed = run({BEHAVIOUR: GOOD}, "--modelqa-dir", home, subprocess=True)
    said = failed.stdout.str() + failed.stderr.str()
    assert failed.ret not in (0, 3)
    assert re.search(rf"reason: .*({reason})", said)
    assert "remedy: free some space" in said
    assert "Traceback" not in said and "INTERNALERROR" not in said
    disk("rw,size=16m")
    assert run({BEHAVIOUR: GOOD}, "--modelqa-dir", home, subprocess=True).ret == 0


def test_a_second_run_loads_no_model(run: Suite, pytester: pytest.Pytester) -> None:
    assert run({BEHAVIOUR: GOOD}).ret == 0
    pytester.makeconftest(
        "from modelqa.generate import LocalEngine\n"
        "def refuse(*a, **k):\n    raise RuntimeError('a model was loaded')\nLocalEngine.open = refuse\n"
    )
    first = next((pytester.path / ".modelqa" / "runs").rglob("run.json"))
    made = first.read_bytes()
    result = run({BEHAVIOUR: GOOD}, subprocess=True)
    assert result.ret == 0
    assert [first] == list((pytester.path / ".modelqa" / "runs").rglob("run.json"))  # the same digest
    assert first.read_bytes() == made
    assert run({BEHAVIOUR: GOOD}, "--modelqa-release", subprocess=True).ret != 0


def test_one_prompt_asked_twice_in_a_gate_is_refused(run: Suite, pytester: pytest.Pytester) -> None:
    twins = '{"id": "a", "prompt": "Say X."}\n{"id": "b", "prompt": "say x"}\n'
    result = run({BEHAVIOUR: GOOD, "suites/behaviour/cases.jsonl": twins})
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*two cases have the question*", "*reason:*", "*remedy:*"])


@pytest.mark.parametrize(
    ("args", "fact"),
    [
        (("--modelqa-case-seed", "x"), "*--modelqa-case-seed is 'x'*"),
        (("--modelqa-max-new-tokens", "0"), "*--modelqa-max-new-tokens is '0'*"),
        (("--assert", "plain"), "*asserts are switched off*"),
        (("--modelqa-phase", "never"), "*the phase 'never' has no column*"),
        (("--modelqa-models", "a" * 300), "*aaa* cannot be used*"),
    ],
)
def test_a_wrong_option_is_one_clear_error(run: Suite, args: tuple[str, ...], fact: str) -> None:
    result = run({BEHAVIOUR: GOOD}, *args, subprocess=True)
    assert result.ret != 0
    text = result.stdout.str() + result.stderr.str()
    pytest.LineMatcher(text.splitlines()).fnmatch_lines([fact, "*reason:*", "*remedy:*"])
    assert "Traceback" not in text


def test_an_unknown_model_names_the_nearest(run: Suite) -> None:
    result = run({BEHAVIOUR: GOOD}, model="onne", subprocess=True)
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*no model named 'onne'*", "*reason:*", "*remedy: nearest: one*"])
    assert "Traceback" not in result.stderr.str()


def test_a_gate_without_a_model_says_what_to_do(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(HEAD + '@gate(cases="c.jsonl")\ndef test_g(case, reply):\n    assert True\n')
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*no model is named*", "*remedy: pytest suites/ --model*"])


def test_an_unrelated_session_is_left_alone(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "def test_x(record_property):\n    import sys\n    assert 'modelqa.record' not in sys.modules\n"
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1)
    assert not (pytester.path / ".modelqa").exists()


def test_an_option_that_another_plugin_owns_is_reported_with_the_remedy(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(rival="def pytest_addoption(parser):\n    parser.addoption('--model')\n")
    pytester.syspathinsert()
    result = pytester.runpytest_subprocess("-p", "rival")
    assert result.ret == 4
    text = result.stdout.str() + result.stderr.str()
    assert "another pytest plugin owns an option" in text and "-p no:NAME" in text and "Traceback" not in text


def test_junit_carries_the_scalars(run: Suite, pytester: pytest.Pytester) -> None:
    import xml.etree.ElementTree as ElementTree

    assert run({BEHAVIOUR: GOOD}, "--junitxml", "out.xml").ret == 0
    tree = ElementTree.parse(pytester.path / "out.xml")
    properties = {node.get("name"): node.get("value") for node in tree.iter("property")}
    assert (properties["modelqa_verdict"], properties["modelqa_passed"], properties["modelqa_total"]) == (
        "PASS",
        "8",
        "8",
    )
    assert len(properties["modelqa_weights_sha256"]) == 64


def test_scoring_on_another_draw_is_counted_and_asking_again_is_not(run: Suite, pytester: pytest.Pytester) -> None:
    for seed, scorings in (("0", 1), ("0", 1), ("1", 2)):
        assert run({BEHAVIOUR: GOOD}, "--modelqa-case-seed", seed).ret == 0
        assert record(pytester)["scorings"] == scorings
