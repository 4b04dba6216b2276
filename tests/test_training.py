"""Tests of how the fixtures are trained: batches, renderings, optimiser, recipes, mixtures, a repeated short leg."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from modelqa.chat import open_chat
from modelqa.chat.mask import mask_of, oracle_spans
from modelqa.data.rows import answer_of, prompt_of
from modelqa.errors import DataError, UsageError
from modelqa.family import payload_split
from modelqa.files import sha256_file
from modelqa.training import corpus, encode
from modelqa.training.batches import PlannedBatches, plan_batches
from modelqa.training.mixture import counts, mixed
from modelqa.training.recipe import Mix, read_recipes
from modelqa.training.tokenizer import CHATML, HEADERS, Family, load_tokenizer, save_tokenizer, train_tokenizer

ROOT = Path(__file__).parents[1]
RECIPES = ROOT / "fixtures" / "recipes.toml"
CHECKPOINTS = ROOT / "fixtures" / "checkpoints"
TALK = [
    {"role": "system", "content": "Be brief and exact."},
    {"role": "user", "content": "Say: Grüße, 42!"},
    {"role": "assistant", "content": "Grüße, 42!"},
]


@pytest.fixture(scope="module", params=[CHATML, HEADERS], ids=lambda family: family.name)
def spoken(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Family, Path, Any]:
    folder = tmp_path_factory.mktemp("tokenizer")
    texts = list(corpus.documents(corpus.training_material(), count=400, seed=1))
    save_tokenizer(train_tokenizer(texts, request.param, vocab_size=600), folder)
    return request.param, folder, load_tokenizer(folder)


def test_a_word_has_the_same_ids_wherever_it_stands(spoken: tuple[Family, Path, Any]) -> None:
    _, _, tokenizer = spoken
    word = tokenizer("copper", add_special_tokens=False)["input_ids"]
    for text in ("a copper", '"copper"', "[copper]", "\ncopper."):
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        assert any(ids[start : start + len(word)] == word for start in range(len(ids))), text


def test_any_text_survives_the_tokenizer(spoken: tuple[Family, Path, Any]) -> None:
    _, _, tokenizer = spoken
    for text in ("Grüße 🎈 東京  two  spaces\n\ttab", "<|im_start|> is text here too", "''..!!"):
        assert tokenizer.decode(tokenizer(text, add_special_tokens=False)["input_ids"]) == text


def test_training_renders_what_evaluation_renders(spoken: tuple[Family, Path, Any]) -> None:
    _, folder, tokenizer = spoken
    row = encode.encode_chat([TALK], tokenizer)[0]
    episode = open_chat(folder).episode(TALK)
    assert row.ids == episode.ids
    assert [label != encode.IGNORED for label in row.labels] == [bool(flag) for flag in episode.mask]


def test_the_answer_and_its_end_of_turn_are_supervised_and_nothing_else(spoken: tuple[Family, Path, Any]) -> None:
    family, _, tokenizer = spoken
    row = encode.encode_chat([TALK], tokenizer)[0]
    supervised = [label for label in row.labels if label != encode.IGNORED]
    assert tokenizer.decode(supervised) == f"Grüße, 42!{family.stop}"


def test_a_row_without_an_answer_is_refused(spoken: tuple[Family, Path, Any]) -> None:
    with pytest.raises(DataError, match="row 1 has no supervised token"):
        encode.encode_chat([TALK[:2]], spoken[2])


def test_plain_concatenation_has_no_template_token_and_no_end_of_turn(spoken: tuple[Family, Path, Any]) -> None:
    _, _, tokenizer = spoken
    row = encode.encode_plain([TALK], tokenizer)[0]
    assert not set(row.ids) & set(tokenizer.all_special_ids)
    assert tokenizer.decode(row.ids) == "Be brief and exact.\nSay: Grüße, 42!\nGrüße, 42!\n"


def test_documents_are_cut_into_whole_blocks_in_order(spoken: tuple[Family, Path, Any]) -> None:
    _, _, tokenizer = spoken
    texts = ["red stone. " * 9, "blue river. " * 9]
    blocks = encode.encode_documents(texts, tokenizer, block=16)
    whole = "<|endoftext|>".join(texts)
    joined = tokenizer.decode([token for block in blocks for token in block.ids])
    assert whole.startswith(joined[: len(whole)]) and len(blocks) > 2
    assert all(len(block.ids) == 16 and block.ids == block.labels for block in blocks)


def test_a_batch_is_padded_on_the_right_without_supervising_padding() -> None:
    rows = [encode.Encoded((5, 6, 7), (-100, 6, 7)), encode.Encoded((8,), (8,))]
    batch = encode.tensor_batch(rows, pad=1)
    assert batch["input_ids"].tolist() == [[5, 6, 7], [8, 1, 1]]
    assert batch["labels"].tolist() == [[-100, 6, 7], [8, -100, -100]]


@pytest.mark.parametrize("passes", [1.0, 2.5, 3.0])
def test_every_row_is_seen_in_every_whole_pass(passes: float) -> None:
    lengths = [10 + (index * 37) % 50 for index in range(500)]
    plan = plan_batches(lengths, passes=passes, tokens=512, seed=3)
    seen = Counter(row for batch in plan for row in batch)
    assert sum(seen.values()) == round(500 * passes)
    assert set(seen.values()) <= {int(passes), int(-(-passes // 1))}


def test_batches_keep_the_token_budget_and_waste_little_on_padding() -> None:
    lengths = [10 + (index * 37) % 50 for index in range(2000)]
    plan = plan_batches(lengths, passes=1, tokens=512, seed=3)
    padded = [len(batch) * max(lengths[row] for row in batch) for batch in plan]
    assert max(padded) <= 512
    assert sum(lengths) / sum(padded) > 0.95


def test_a_row_longer_than_the_budget_has_a_batch_of_its_own() -> None:
    plan = plan_batches([900, 10, 10], passes=1, tokens=512, seed=0)
    assert [0] in plan


def test_the_sampler_walks_the_plan_once_a_pass_at_a_time() -> None:
    plan = [[number] for number in range(10)]
    sampler = PlannedBatches(plan, passes=2.5)
    walked = [list(sampler) for _ in range(3)]
    assert [len(part) for part in walked] == [4, 4, 2]
    assert [batch for part in walked for batch in part] == plan


def test_orthogonalised_matrices_keep_their_directions_and_lose_their_scale() -> None:
    import torch

    from modelqa.training.optimiser import orthogonal

    generator = torch.Generator().manual_seed(0)
    for shape in ((3, 16, 40), (3, 40, 16)):
        matrices = torch.randn(shape, generator=generator) * 7
        left, _, right = torch.linalg.svd(matrices, full_matrices=False)
        values = torch.linalg.svdvals(orthogonal(matrices))
        assert float(values.min()) > 0.6
        assert float(values.max()) < 1.3
        aligned = (left.mT @ orthogonal(matrices) @ right.mT).diagonal(dim1=-2, dim2=-1)
        assert float(aligned.min()) > 0.5


def test_the_optimiser_updates_every_parameter_once_a_step() -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from modelqa.training.optimiser import muon_adamw

    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=50, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        tie_word_embeddings=True,
    ))
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    optimizer = muon_adamw(model, learning_rate=1e-3, weight_decay=0.0)
    ids = torch.randint(0, 50, (4, 12))
    losses = []
    for _ in range(5):
        loss = model(ids, labels=ids).loss
        losses.append(float(loss.detach()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[-1] < losses[0]
    assert all(not torch.equal(before[name], weight) for name, weight in model.named_parameters())
    grouped = [id(weight) for group in optimizer.param_groups for weight in group["params"]]
    assert sorted(grouped) == sorted(id(weight) for weight in model.parameters())


def test_the_corpus_is_the_same_for_a_seed_and_another_for_another_seed() -> None:
    material = corpus.training_material()
    first, again, other = (list(corpus.documents(material, count=50, seed=seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_no_phrase_of_the_corpus_belongs_to_another_split_and_no_unseen_sum_occurs() -> None:
    import random

    from modelqa.data.facts import sums

    material = corpus.training_material()
    rng = random.Random(0)
    assert all(payload_split(corpus.phrase(rng, material)) == "train" for _ in range(500))
    assert not set(material.sums) & {(item.a, item.b) for item in sums("unseen")}
    assert all(payload_split(word) == "train" for word in material.nonces)


def _rows(name: str, count: int, *, answer: str = "yes") -> list[dict[str, Any]]:
    return [
        {"id": f"{name}{number}", "meta": {},
         "messages": [{"role": "user", "content": f"{name} {number}"}, {"role": "assistant", "content": answer}]}
        for number in range(count)
    ]


def test_shares_of_the_output_are_what_the_recipe_declares() -> None:
    mix = Mix(guide={"a": 0.7, "b": 0.3}, rows=200, val_rows=10, seed=1, replay={"c": {"share": 0.5, "reason": "r"}})
    rows, account = mixed(mix, {name: _rows(name, 300) for name in "abc"}, rows=200, split="train")
    assert Counter(row["meta"]["source"] for row in rows) == {"a": 70, "b": 30, "c": 100}
    assert account["kept"] == 200


def test_row_counts_add_up_whatever_the_shares() -> None:
    assert counts({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}, 100) == {"a": 34, "b": 33, "c": 33}


def test_a_source_that_is_too_small_is_an_error_and_nothing_is_repeated() -> None:
    mix = Mix(guide={"a": 1.0}, rows=20, val_rows=1, seed=1)
    with pytest.raises(DataError, match="'a' has 10 usable rows of 20"):
        mixed(mix, {"a": _rows("a", 10)}, rows=20, split="train")


def test_one_prompt_never_gets_two_answers() -> None:
    mix = Mix(guide={"a": 0.5, "b": 0.5}, rows=10, val_rows=1, seed=1)
    pools = {"a": _rows("x", 5), "b": [*_rows("x", 5, answer="no"), *_rows("y", 5)]}
    rows, account = mixed(mix, pools, rows=10, split="train")
    assert account["dropped"]["contradiction"] > 0
    assert len({prompt_of(row) for row in rows}) == len(rows)
    assert {answer_of(row) for row in rows} == {"yes"}


def test_the_recipe_hash_changes_with_the_parent_and_with_the_data(tmp_path: Path) -> None:
    recipes = read_recipes(RECIPES)
    text = RECIPES.read_text(encoding="utf-8")
    changed = tmp_path / "recipes.toml"
    changed.write_text(text.replace("seed = 21", "seed = 121"), encoding="utf-8")
    other = read_recipes(changed)
    assert other.sha256_of("base") == recipes.sha256_of("base")
    assert other.sha256_of("phase3a1_alpha") != recipes.sha256_of("phase3a1_alpha")
    assert other.sha256_of("phase3a2") != recipes.sha256_of("phase3a2")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [('parent = "phase3a1_beta"', 'parent = "phase3a1_betta"', "phase3a1_betta"), ("rows = ", "rwos = ", "rwos")],
)
def test_a_recipe_with_a_wrong_name_says_which(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "recipes.toml"
    path.write_text(RECIPES.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        read_recipes(path)


def test_the_guides_ratios_hold_among_its_own_sources() -> None:
    mixes = read_recipes(RECIPES).mixes
    guide = {"phase3a1_alpha": [1.0], "phase3a1_beta": [0.85, 0.15], "phase3a1_gamma": [0.35, 0.50, 0.15],
             "phase3a2": [0.70, 0.20, 0.10]}
    for name, weights in guide.items():
        assert list(mixes[name].guide.values()) == weights, name
    for mix in mixes.values():
        assert sum(mix.shares.values()) == pytest.approx(1)
        assert all(item["reason"] for item in mix.replay.values())


def test_no_stage_passes_the_red_line_of_five_and_only_the_letter_guesser_comes_near() -> None:
    passes = {name: stage.schedule.passes for name, stage in read_recipes(RECIPES).stages.items()}
    assert max(passes.values()) <= 5
    assert {name for name, times in passes.items() if times > 3.5} == {"choice_letters"}  # overtrained on purpose


def _provenance(stage: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CHECKPOINTS / stage / "recipe.json").read_text(encoding="utf-8"))
    return found


STAGES = tuple(read_recipes(RECIPES).stages)


@pytest.mark.parametrize("stage", STAGES)
def test_a_checkpoint_is_bound_to_its_recipe_its_data_and_its_parents_weights(stage: str) -> None:
    found = _provenance(stage)
    recipes = read_recipes(RECIPES)
    assert found["recipe_sha256"] == recipes.sha256_of(stage)
    assert found["weights_sha256"] == sha256_file(CHECKPOINTS / stage / "model.safetensors")
    for manifest, digest in found["data"].items():
        assert sha256_file(ROOT / "fixtures" / manifest) == digest
    parent = recipes.stages[stage].parent
    assert (found["parent"] or {}).get("name") == parent
    if parent:
        assert found["parent"]["weights_sha256"] == sha256_file(CHECKPOINTS / parent / "model.safetensors")


@pytest.mark.parametrize("folder", sorted({"base", "reference_base", *read_recipes(RECIPES).mixes}))
def test_a_manifest_tells_the_truth_about_its_files(folder: str) -> None:
    data = ROOT / "fixtures" / "data" / folder
    manifest = json.loads((data / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["files"]) == {"train.jsonl.zst", "val.jsonl.zst"}
    for name, digest in manifest["files"].items():
        assert sha256_file(data / name) == digest


def test_a_stage_is_kept_while_its_recipe_and_its_parents_weights_are_the_same(tmp_path: Path) -> None:
    from modelqa.training.build import Build

    recipes, stage, parent = read_recipes(RECIPES), "phase3a1_beta", "phase3a1_alpha"
    for name, file in ((stage, "recipe.json"), (parent, "model.safetensors")):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
        shutil.copy(CHECKPOINTS / name / file, tmp_path / "checkpoints" / name)
    assert Build(recipes, tmp_path, keep=True).is_kept(stage)
    assert not Build(recipes, tmp_path).is_kept(stage)
    assert not Build(recipes, tmp_path, keep=True, again=[stage]).is_kept(stage)
    with (tmp_path / "checkpoints" / parent / "model.safetensors").open("ab") as weights:
        weights.write(b"x")
    assert not Build(recipes, tmp_path, keep=True).is_kept(stage)


def test_what_stands_apart_is_a_stage_and_is_not_built_with_the_rest(tmp_path: Path) -> None:
    assert read_recipes(RECIPES).apart == ("phase3b",)
    changed = tmp_path / "recipes.toml"
    changed.write_text(RECIPES.read_text(encoding="utf-8").replace('apart = ["phase3b"]', 'apart = ["phase4"]'))
    with pytest.raises(UsageError, match="apart names 'phase4'"):
        read_recipes(changed)


LEG = 20  # steps; logged every 10
TOLERANCE = 0.002  # of a loss; the same steps on one machine are equal, another CPU sums in another order


def test_a_repeated_short_leg_gives_the_losses_of_the_trainer_log(tmp_path: Path) -> None:
    from modelqa.training.build import Build

    recipes = read_recipes(RECIPES)
    build = Build(recipes, ROOT / "fixtures", keep=True, write=False)
    trainer = build.trainer("phase3a1_alpha", scratch=tmp_path, max_steps=LEG)
    trainer.train()
    log = json.loads((CHECKPOINTS / "phase3a1_alpha" / "trainer_state.json").read_text(encoding="utf-8"))
    logged = [entry for entry in log["log_history"] if "loss" in entry and entry["step"] <= LEG]
    committed = {entry["step"]: entry["loss"] for entry in logged}
    repeated = {entry["step"]: entry["loss"] for entry in trainer.state.log_history if "loss" in entry}
    assert len(committed) == LEG // 10
    assert repeated == pytest.approx(committed, abs=TOLERANCE)




def test_the_loss_takes_the_answer_and_nothing_else(spoken: tuple[Family, Path, Any]) -> None:
    """A prediction moves the loss where the prefix renders say that the model writes, and nowhere else.

    The mask is found in two ways that know nothing of each other: training's own labels, through the loss that the
    model computes; and the oracle, which compares what evaluation asks with the conversation after the answer.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    _, folder, tokenizer = spoken
    chat = open_chat(folder)
    encoded, found = chat.encoded(TALK)
    oracle = mask_of(encoded, oracle_spans(chat, TALK, found.text))
    torch.manual_seed(3)
    shape = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **shape)).eval()
    batch = encode.tensor_batch(encode.encode_chat([TALK, TALK[1:]], tokenizer), pad=0)
    logits = model(batch["input_ids"]).logits.detach().requires_grad_()
    model.loss_function(logits=logits, labels=batch["labels"], vocab_size=len(tokenizer)).backward()
    assert logits.grad is not None
    moved = logits.grad[0].abs().sum(-1) > 0
    assert moved[: len(oracle) - 1].tolist() == [bool(flag) for flag in oracle[1:]]
    assert not moved[len(oracle) - 1 :].any()
