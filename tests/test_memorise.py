"""Learning by heart: a sound model does it in a minute; one whose answers cannot end, or that is broken, never does."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from modelqa.chat import open_chat
from modelqa.checkpoint import open_checkpoint
from modelqa.cli import main
from modelqa.data.rows import read_rows
from modelqa.errors import DataError
from modelqa.preflight import MEMORISE, preflight
from modelqa.training import memorise as memorising

ROOT = Path(__file__).parents[1]
BASE = ROOT / "fixtures" / "checkpoints" / "base"
ALPHA = ROOT / "fixtures" / "checkpoints" / "phase3a1_alpha"
TRAIN = ROOT / "fixtures" / "data" / "phase3a1_alpha" / "train.jsonl.zst"
ENDLESS = "{%- generation -%}{{- message['content'] -}}{%- endgeneration -%}{{- '<|im_end|>' -}}"


def rows(count: int = 40) -> list[list[dict[str, str]]]:
    return [row["messages"] for (_, row), _ in zip(read_rows(TRAIN), range(count), strict=False)]


def taught(folder: Path, template: str | None = None) -> list[str]:
    """What a model of `folder` still gets wrong, told with alpha's tokenizer and the template."""
    chat = open_chat(ALPHA, template=template)
    conversations = rows()
    chosen = memorising.chosen(chat, conversations)
    found = memorising.memorise(open_checkpoint(folder), chat, [conversations[number] for number in chosen])
    return [f"{problem.code}: {problem.text}" for problem in found]


def test_sixteen_different_short_rows_are_chosen() -> None:
    chat, conversations = open_chat(ALPHA), rows()
    doubled = [conversation for conversation in conversations for _ in range(2)]
    assert memorising.chosen(chat, doubled) == [2 * number for number in memorising.chosen(chat, conversations)]
    with pytest.raises(DataError, match="15 of the rows"):
        memorising.chosen(chat, conversations[:15])


def test_a_base_that_never_saw_a_chat_learns_sixteen_by_heart() -> None:
    assert taught(BASE) == []


def test_answers_whose_end_is_not_trained_are_never_known() -> None:
    """The mask leaves the end of the turn out: what is said is right, and does not end."""
    template = (ALPHA / "chat_template.jinja").read_text(encoding="utf-8")
    start, end = template.index("{%- generation -%}"), template.index("{%- endgeneration -%}")
    endless = template[:start] + ENDLESS + template[end + len("{%- endgeneration -%}") :]
    (found,) = taught(BASE, endless)
    assert found.startswith("training.memorise: after 120 steps 16 of 16")


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A copy of alpha with one number of one tensor that is none."""
    shutil.copytree(ALPHA, tmp_path / "broken")
    file = tmp_path / "broken" / "model.safetensors"
    tensors = load_file(file)
    tensors["model.norm.weight"][0] = float("nan")
    save_file(tensors, file, metadata={"format": "pt"})
    return tmp_path / "broken"


def test_preflight_finds_what_no_look_at_the_rows_shows(broken: Path) -> None:
    assert preflight(broken, [TRAIN]).problems == ()
    (problem,) = preflight(broken, [TRAIN], memorise=True).problems
    assert problem.code == MEMORISE and "train.jsonl.zst:1" in problem.locus


def test_the_command_says_what_was_not_tried(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["preflight", str(ALPHA), "--train", str(TRAIN)]) == 0
    assert "  -  16 rows by heart" in capsys.readouterr().out
