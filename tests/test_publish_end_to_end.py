"""The example model from its gates to a reader's machine; and, by hand, the same against the real Hub.

The live test needs MODELQA_LIVE_HUB=ORG and HF_TOKEN: it makes a private repository there, and deletes it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from hub.publishers import tiny_release
from hub.server import WRITE, LoopbackHub
from modelqa.publish.hub import connect
from modelqa.publish.push import plan, publish
from modelqa.publish.release_files import REPORT, Release

ROOT = Path(__file__).parents[1]
MODEL, NAME = "phase3a2", "acme/phase3a2"
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


@pytest.mark.slow
@pytest.mark.parametrize("xet", [False, True], ids=["lfs", "xet"])
def test_the_example_model_is_judged_published_downloaded_and_says_the_same(tmp_path: Path, xet: bool) -> None:
    with LoopbackHub(tmp_path / "hub", xet=xet) as hub:
        environment = os.environ | {
            "HF_ENDPOINT": hub.endpoint, "HF_TOKEN": WRITE, "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_XET": "0" if xet else "1",
        }  # fmt: skip

        def run(*command: str) -> str:
            done = subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
            return done.stdout

        home = ("--modelqa-dir", str(tmp_path / "modelqa"))
        run("-m", "pytest", "suites/", "--model", MODEL, "-p", "no:cacheprovider", *home)
        assert "published" in run("-m", "publish", MODEL, "--to", NAME, *home)
        assert "nothing to change" in run("-m", "modelqa", "publish", MODEL, "--to", NAME, *home)
        assert "0 problem(s)" in run("-m", "modelqa", "verify", NAME, "--replay", "5", *home)
        repository = hub.repository(NAME)
        commit = repository.resolve("main")
        assert commit
        report = json.loads(repository.content(repository.tree(commit)[REPORT]))
        rows = report["transcripts"][:8]
        system = [{"role": "system", "content": report["model"]["system"]}] if report["model"].get("system") else []
        prompts = [[*system, {"role": "user", "content": row["asked"]}] for row in rows]
        said = [json.loads(line) for line in run("-c", READER, NAME, json.dumps(prompts)).splitlines()]
        assert len(said) == len(rows) >= 5
        assert said == [row["said"] for row in rows]


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
