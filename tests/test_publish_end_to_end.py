"""The example model from its gates to a reader's machine, by the README's words; and, by hand, against the real Hub.

The live test needs MODELQA_LIVE_HUB=ORG and HF_TOKEN: it makes a private repository there, and deletes it.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hub.__main__ import PORT
from hub.publishers import tiny_release
from modelqa.publish.hub import connect
from modelqa.publish.push import plan, publish
from modelqa.publish.release_files import REPORT, Release

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8").split("\n## Publish\n")[1].split("\n## ")[0]
NAME = "acme/phase3a2"
READER = """
import json, sys
from transformers import AutoModelForCausalLM, AutoTokenizer
name, prompts = sys.argv[1], json.loads(sys.argv[2])
tokenizer, model = AutoTokenizer.from_pretrained(name), AutoModelForCausalLM.from_pretrained(name)
for messages in prompts:
    ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    reply = model.generate(**ids, do_sample=False, max_new_tokens=64)[0, ids["input_ids"].shape[1]:]
    print(json.dumps(tokenizer.decode(reply, skip_special_tokens=False)))
"""
PROGRAMS = {"pytest": ["-m", "pytest"], "modelqa": ["-m", "modelqa"], "python": []}

Run = Callable[..., str]


def readme_commands() -> tuple[list[str], list[str]]:
    """(what publishes, what a reader does): the lines of the README's two blocks, without their comments."""
    blocks = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    first, second = ([line.split("  #")[0].strip() for line in block.splitlines()] for block in blocks)
    return first, second


@contextmanager
def served_hub(*options: str) -> Iterator[dict[str, str]]:
    """`make hub` on a free port: the environment that the line which it prints asks for."""
    command = [sys.executable, "-m", "hub", "--port", "0", *options]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "tests")}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as hub:
        assert hub.stdout is not None
        line = hub.stdout.readline().strip()
        try:
            yield dict(word.split("=", 1) for word in line.removeprefix("export ").split())
        finally:
            hub.terminate()


def runner(home: Path, environment: dict[str, str]) -> Run:
    """A function that runs a line of the README, its records in `home`, and gives its output."""
    surroundings = os.environ | environment | {"HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_TELEMETRY": "1"}

    def run(line: str, *more: str) -> str:
        program, *words = shlex.split(line)
        command = [sys.executable, *PROGRAMS[program], *words, *more]
        if program != "python":
            command += ["--modelqa-dir", str(home)]
        done = subprocess.run(command, cwd=ROOT, env=surroundings, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    return run


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the README's first command put the record of the example model."""
    home = tmp_path_factory.mktemp("example") / "modelqa"
    runner(home, {})(readme_commands()[0][0], "-p", "no:cacheprovider")
    return home


def test_the_readme_names_what_make_hub_prints() -> None:
    line = next(line for line in readme_commands()[1] if line.startswith("export "))
    stated = dict(word.split("=", 1) for word in line.removeprefix("export ").split())
    with served_hub() as printed:
        port = printed["HF_ENDPOINT"].rpartition(":")[2]
        assert {key: value.replace(f":{port}", f":{PORT}") for key, value in printed.items()} == stated
        with pytest.raises(urllib.error.HTTPError, match="404"):  # it answers
            urllib.request.urlopen(f"{printed['HF_ENDPOINT']}/api/models/acme/none")
    assert "`make hub`" in README


@pytest.mark.slow
@pytest.mark.parametrize("xet", [False, True], ids=["lfs", "xet"])
def test_the_example_model_is_judged_published_downloaded_and_says_the_same(
    tmp_path: Path, records: Path, xet: bool
) -> None:
    (_, publishing), (_, loading, verifying) = readme_commands()
    with served_hub(*(["--xet"] if xet else [])) as environment:
        run = runner(
            records, environment | {"HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": str(int(not xet))}
        )
        assert "published" in run(publishing)
        assert "nothing to change" in run(publishing)
        run(loading)
        assert "5 prompts asked again, 0 problem(s)" in run(verifying)
        report = fetched(environment["HF_ENDPOINT"], REPORT)
        rows = report["transcripts"][:8]
        system = [{"role": "system", "content": report["model"]["system"]}] if report["model"].get("system") else []
        prompts = [[*system, {"role": "user", "content": row["asked"]}] for row in rows]
        said = [
            json.loads(line) for line in run(f"python -c {shlex.quote(READER)}", NAME, json.dumps(prompts)).splitlines()
        ]
        assert len(said) == len(rows) >= 5
        assert said == [row["said"] for row in rows]


def fetched(endpoint: str, path: str) -> Any:
    """The JSON of one published file, read without any client."""
    with urllib.request.urlopen(f"{endpoint}/{NAME}/resolve/main/{path}") as answer:
        return json.loads(answer.read())


@pytest.mark.skipif("MODELQA_LIVE_HUB" not in os.environ, reason="set MODELQA_LIVE_HUB=ORG and HF_TOKEN to run it")
def test_the_real_hub_keeps_the_same_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    hub = connect(f"{os.environ['MODELQA_LIVE_HUB']}/modelqa-live-{uuid.uuid4().hex[:8]}", token=os.environ["HF_TOKEN"])

    def release(version: str) -> Release:
        return tiny_release(tmp_path, version)

    try:
        assert publish(hub, lambda head: release("one"), private=True).changed
        assert not publish(hub, lambda head: release("one")).changed
        done = publish(hub, lambda head: release("two"))
        assert plan(release("two"), hub.snapshot(done.entry.commit)).changes_nothing
        assert hub.tags()[done.entry.tag] == done.entry.commit
    finally:
        hub.api.delete_repo(hub.name)
