"""What training fed beside what evaluation asks, on the shipped captures: healthy ones pass, one change is seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelqa.chat import open_chat
from modelqa.data.captured import read_capture
from modelqa.data.rows import read_rows
from modelqa.models import Model, load_registry
from modelqa.mutants.catalogue import KINDS
from modelqa.mutants.kind import Sibling
from modelqa.mutants.trial import stage
from modelqa.parity import captured_problems
from modelqa.record import Problem

REGISTRY = load_registry(Path(__file__).parents[1] / "fixtures" / "models.toml")
ALPHA = REGISTRY.models["phase3a1_alpha"]
KIND = {kind.name: kind for kind in KINDS}


def problems(model: Model) -> list[Problem]:
    assert model.path is not None and model.capture is not None
    rows = (row["messages"] for path in model.train for _, row in read_rows(path))
    return captured_problems(open_chat(model.path), read_capture(model.capture).episodes(), rows)


def test_the_shipped_capture_is_what_evaluation_asks() -> None:
    assert problems(ALPHA) == []


@pytest.mark.parametrize(
    "kind", ["stop_masked", "no_mask", "mask_early", "other_format", "system_dropped", "trailing_space", "prompt_lost"]
)
def test_one_change_is_seen_for_what_it_is(kind: str, tmp_path: Path) -> None:
    damage = KIND[kind].make(Sibling(stage(tmp_path, "copy", ALPHA)))
    found = problems(damage.model)
    assert found[0].code == KIND[kind].expects[0].code
    if damage.locus:
        assert found[0].locus == damage.locus
    if KIND[kind].area == "capture":
        assert len(found) == 1


def test_a_pack_with_one_mask_for_all_is_seen_and_a_sound_pack_is_not(tmp_path: Path) -> None:
    kind = KIND["pack_unmasked"]
    half = kind.grounded(Sibling(stage(tmp_path, "copy", ALPHA)))
    assert problems(half.model) == []
    damage = kind.make(half)
    assert [(found.code, found.locus) for found in problems(damage.model)] == [(kind.expects[0].code, damage.locus)]


def test_a_conversation_of_several_turns_is_what_evaluation_asks_though_every_answer_was_counted() -> None:
    assert ALPHA.path is not None
    chat = open_chat(ALPHA.path)
    talk = [
        {"role": "user", "content": "Remember this: Anna said foo."}, {"role": "assistant", "content": "Okay."},
        {"role": "user", "content": "What did Anna say?"}, {"role": "assistant", "content": "Anna said foo."},
    ]  # fmt: skip
    own = chat.episode(talk)
    assert captured_problems(chat, [(own.ids, own.mask)], [talk]) == []
    first = own.mask.index(1)
    early = [*own.mask[: first - 1], 1, *own.mask[first:]]
    (problem,) = captured_problems(chat, [(own.ids, early)], [talk])
    assert (problem.code, problem.locus) == ("parity.mask", f"episode 0, token {first - 1}")
    (problem,) = captured_problems(chat, [(own.ids[:-8], own.mask[:-8])], [talk])
    assert problem.code == "parity.render"


def test_an_answer_that_is_counted_in_part_is_named_with_the_token_left_out() -> None:
    assert ALPHA.path is not None and ALPHA.capture is not None
    fed = read_capture(ALPHA.capture).episodes()
    ids, mask = fed[3]
    last = max(at for at, counts in enumerate(mask) if counts)
    fed[3] = (ids, tuple(int(counts and at != last - 1) for at, counts in enumerate(mask)))
    rows = (row["messages"] for path in ALPHA.train for _, row in read_rows(path))
    found = captured_problems(open_chat(ALPHA.path), fed, rows)
    assert [(problem.code, problem.locus) for problem in found] == [("parity.mask", f"episode 3, token {last - 1}")]
