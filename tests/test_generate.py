"""The local engine: batches that change nothing, real stops, nothing cut silently, no settings leaking in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from itertools import pairwise

import pytest
import tiny_model
import torch

from modelqa.checkpoint import open_checkpoint
from modelqa.errors import CheckpointError, GenerationError, UsageError
from modelqa.generate import LocalEngine, plan_batches, random_twin
from modelqa.reply import Prompt, Reply

NEW = 12  # tokens: random models rarely stop, so replies are this long


def decode(ids):
    """Ids as text: what is said does not matter here, which ids it is made of does."""
    return " ".join(map(str, ids))


def prompts_of(*lengths, seed=0, low=5, high=200):
    generator = torch.Generator().manual_seed(seed)
    return [Prompt(tuple(torch.randint(low, high, (length,), generator=generator).tolist()), "") for length in lengths]


PROMPTS = prompts_of(3, 17, 1, 30, 5, 5, 9, 44, 2, 21)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    return {kind: tiny_model.write_model(root / kind, kind, seed=3) for kind in ("llama", "gpt2")}


@pytest.fixture(scope="module", params=["llama", "gpt2"])
def engine(request, folders):
    return LocalEngine.open(open_checkpoint(folders[request.param]), stop_ids=[], pad_id=0)


@pytest.fixture(scope="module")
def llama(folders):
    return LocalEngine.open(open_checkpoint(folders["llama"]), stop_ids=[], pad_id=0)


def with_stops(engine, *stops, pad_id=0):
    return LocalEngine(engine.model, stops, pad_id)


def replies(engine, prompts=PROMPTS, **options):
    return dict(engine.replies(prompts, **{"max_new_tokens": NEW, "decode": decode, **options}))


def ids(made):
    return {index: reply.ids for index, reply in made.items()}


def greedy(engine, prompt, new=NEW):
    """The reference: a full forward pass for each token, argmax, no generate, no cache, and the gaps to the second."""
    text, gaps = list(prompt.ids), []
    with torch.inference_mode():
        for _ in range(new):
            scores = engine.model(input_ids=torch.tensor([text]), use_cache=False).logits[0, -1]
            best = scores.topk(2).values
            gaps.append(float(best[0] - best[1]))
            text.append(int(scores.argmax()))
            if text[-1] in engine.stop_ids:
                break
    return tuple(text[len(prompt.ids) :]), gaps


# -- what is said


def test_replies_are_those_of_a_plain_greedy_loop(engine):
    made = replies(engine, batch_size=4)
    assert ids(made) == {index: greedy(engine, prompt)[0] for index, prompt in enumerate(PROMPTS)}
    assert len(set(ids(made).values())) > 5  # the prompts do differ, so equality says something


@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_batches_of_any_size_give_what_plain_generate_gives(engine, batch_size):
    plain = dict(engine.plain_replies(PROMPTS, max_new_tokens=NEW, decode=decode))
    assert ids(replies(engine, batch_size=batch_size)) == ids(plain)


def test_without_the_kv_cache_the_replies_are_the_same(engine):
    assert ids(replies(engine, use_cache=False)) == ids(replies(engine))


@pytest.mark.parametrize(("use_cache", "widths"), [(True, [17, 1, 1, 1]), (False, [17, 18, 19, 20])])
def test_without_the_kv_cache_every_token_is_computed_from_the_whole_text(engine, use_cache, widths):
    seen = []
    hook = engine.model.register_forward_pre_hook(
        lambda model, args, kwargs: seen.append(kwargs["input_ids"].shape[1]), with_kwargs=True
    )
    replies(engine, PROMPTS[1:2], use_cache=use_cache, max_new_tokens=4)
    hook.remove()
    assert seen == widths


def test_right_padding_would_have_changed_the_replies(llama):
    width = max(len(prompt.ids) for prompt in PROMPTS)
    rows = [[*prompt.ids, *[0] * (width - len(prompt.ids))] for prompt in PROMPTS]
    mask = [[1] * len(prompt.ids) + [0] * (width - len(prompt.ids)) for prompt in PROMPTS]
    made = llama.model.generate(
        torch.tensor(rows), attention_mask=torch.tensor(mask), max_new_tokens=NEW, pad_token_id=0
    )
    wrong = [tuple(row) for row in made[:, width:].tolist()]
    right = replies(llama)
    assert sum(wrong[index] != right[index].ids for index in range(len(PROMPTS))) > len(PROMPTS) // 2


def test_the_padding_token_does_not_matter(llama):
    assert ids(replies(with_stops(llama, pad_id=150))) == ids(replies(llama))


def test_generation_ends_at_the_first_stop_token_and_says_so(engine):
    free = replies(engine)
    stops = {free[0].ids[4], free[3].ids[7]}
    made = replies(with_stops(engine, *stops), batch_size=4)
    for index, reply in made.items():
        place = next((step for step, number in enumerate(free[index].ids) if number in stops), None)
        expected = free[index].ids if place is None else free[index].ids[: place + 1]
        assert (reply.ids, reply.stopped) == (expected, place is not None)
        assert reply.raw == decode(expected)
        assert reply.text == decode(expected[:-1] if reply.stopped else expected)
    assert any(reply.stopped for reply in made.values())


def test_a_stop_token_that_is_also_the_padding_ends_replies_just_the_same(llama):
    stop = replies(llama)[0].ids[4]
    made = replies(with_stops(llama, stop, pad_id=stop))
    assert ids(made) == ids(replies(with_stops(llama, stop)))
    assert made[0].stopped


def test_plain_generate_stops_at_the_same_places(engine):
    stopping = with_stops(engine, replies(engine)[0].ids[4])
    plain = dict(stopping.plain_replies(PROMPTS, max_new_tokens=NEW, decode=decode))
    made = replies(stopping)
    assert {index: (reply.ids, reply.text, reply.stopped) for index, reply in plain.items()} == {
        index: (reply.ids, reply.text, reply.stopped) for index, reply in made.items()
    }
    assert all(reply.margin is None for reply in plain.values())


def test_the_margin_is_the_smallest_gap_up_to_the_stop(engine):
    stopping = with_stops(engine, replies(engine)[0].ids[4])
    for index, reply in replies(stopping, batch_size=4).items():
        assert reply.margin == pytest.approx(min(greedy(stopping, PROMPTS[index])[1]), abs=1e-3)


def test_surrounding_space_is_removed_from_the_text_only(llama):
    (reply,) = replies(llama, PROMPTS[:1], decode=lambda ids: f"  {decode(ids)}\n").values()
    assert (reply.text, reply.raw) == (decode(reply.ids), f"  {decode(reply.ids)}\n")


def test_two_runs_are_identical(engine):
    assert replies(engine) == replies(engine)


def test_the_checkpoints_own_sampling_defaults_do_not_leak_in(folders, llama, tmp_path):
    folder = shutil.copytree(folders["llama"], tmp_path / "copy")
    expected = ids(replies(llama))
    hostile = {
        "do_sample": True, "temperature": 5.0, "top_k": 3, "repetition_penalty": 4.0, "no_repeat_ngram_size": 1,
        "max_length": 3, "min_new_tokens": 1, "num_beams": 3, "eos_token_id": [expected[0][2]],
        "forced_eos_token_id": 7, "suppress_tokens": [expected[1][0]], "bad_words_ids": [[expected[2][0]]],
        "use_cache": False, "stop_strings": ["a"],
    }  # fmt: skip
    tiny_model.edit(folder / "generation_config.json", **hostile)
    engine = LocalEngine.open(open_checkpoint(folder), stop_ids=[], pad_id=0)
    assert ids(replies(engine)) == expected
    assert ids(dict(engine.plain_replies(PROMPTS, max_new_tokens=NEW, decode=decode))) == expected


# -- how it is asked


def test_batches_are_a_function_of_the_list(llama):
    plan = plan_batches(PROMPTS, 4)
    assert sorted(index for batch in plan for index in batch) == list(range(len(PROMPTS)))
    order = [index for batch in plan for index in batch]
    assert all(
        (len(PROMPTS[one].ids), PROMPTS[one].key) <= (len(PROMPTS[two].ids), PROMPTS[two].key)
        for one, two in pairwise(order)
    )
    backwards = [PROMPTS[index] for index in reversed(range(len(PROMPTS)))]
    again = [[backwards[index].key for index in batch] for batch in plan_batches(backwards, 4)]
    assert again == [[PROMPTS[index].key for index in batch] for batch in plan]


def test_a_batch_size_below_one_is_refused():
    with pytest.raises(UsageError):
        plan_batches(PROMPTS, 0)


def test_a_wanted_reply_does_not_depend_on_what_else_is_wanted(llama):
    everything = replies(llama, batch_size=4)
    counts = []
    some = replies(llama, batch_size=4, wanted=[1, 6], progress=counts.append)
    assert some == {index: everything[index] for index in (1, 6)}  # margins to the last bit: the batches were the same
    assert sum(counts) == 2
    assert replies(llama, wanted=[]) == {}


def test_an_interrupt_keeps_the_batches_that_were_made(llama):
    stream = llama.replies(PROMPTS, max_new_tokens=NEW, decode=decode, batch_size=4)
    first = [next(stream) for _ in range(4)]
    stream.close()
    assert {index for index, _ in first} == set(plan_batches(PROMPTS, 4)[0])


def test_a_prompt_that_does_not_fit_is_refused_and_never_cut(llama):
    prompts = [*PROMPTS[:2], *prompts_of(64 - NEW, 64 - NEW + 1, 500)]
    refused = llama.refused(prompts, max_new_tokens=NEW)
    assert set(refused) == {3, 4} and "53 tokens" in refused[3]
    made = replies(llama, prompts)
    assert set(made) == {0, 1, 2}
    assert made[2].ids == greedy(llama, prompts[2])[0]
    assert set(dict(llama.plain_replies(prompts, max_new_tokens=NEW, decode=decode))) == {0, 1, 2}


def test_empty_prompts_and_ids_without_a_row_are_refused(llama):
    prompts = [
        Prompt((), ""),
        Prompt((5, llama.vocabulary), ""),
        Prompt((-1,), ""),
        Prompt((llama.vocabulary - 1,), ""),
    ]
    refused = llama.refused(prompts, max_new_tokens=NEW)
    assert set(refused) == {0, 1, 2}
    assert "empty" in refused[0] and str(llama.vocabulary) in refused[1] and "-1" in refused[2]
    assert set(replies(llama, prompts)) == {3}


# -- what is loaded


def test_a_bfloat16_file_is_judged_in_float32(folders, tmp_path):
    folder = shutil.copytree(folders["llama"], tmp_path / "copy")
    from safetensors.torch import load_file, save_file

    tensors = {name: value.bfloat16() for name, value in load_file(folder / "model.safetensors").items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    engine = LocalEngine.open(open_checkpoint(folder), stop_ids=[], pad_id=0)
    assert engine.model.dtype == torch.float32
    lower = LocalEngine.open(open_checkpoint(folder), stop_ids=[], pad_id=0, dtype="bfloat16")
    assert lower.model.dtype == torch.bfloat16 and len(replies(lower, PROMPTS[:2])) == 2


def test_a_random_twin_has_the_shape_and_knows_nothing(folders, llama):
    checkpoint = open_checkpoint(folders["llama"])
    state = torch.random.get_rng_state()
    twins = [random_twin(checkpoint, seed, stop_ids=[], pad_id=0) for seed in (1, 1, 2)]
    assert torch.equal(torch.random.get_rng_state(), state)
    one, same, other = (replies(twin) for twin in twins)
    assert one == same and ids(one) != ids(other) and ids(one) != ids(replies(llama))
    assert [twin.name for twin in twins] == ["random-twin-1", "random-twin-1", "random-twin-2"]
    shapes = [
        {name: value.shape for name, value in model.named_parameters()} for model in (twins[0].model, llama.model)
    ]
    assert shapes[0] == shapes[1]


def test_nan_weights_give_replies_whose_margin_is_zero(folders, tmp_path):
    folder = shutil.copytree(folders["llama"], tmp_path / "copy")
    tiny_model.retensor(folder, model__norm__weight=torch.full((32,), float("nan")))
    engine = LocalEngine.open(open_checkpoint(folder), stop_ids=[], pad_id=0)
    assert [reply.margin for reply in replies(engine, PROMPTS[:3]).values()] == [0.0, 0.0, 0.0]


def test_missing_tensors_are_refused_and_not_made_up(folders, tmp_path):
    folder = shutil.copytree(folders["llama"], tmp_path / "copy")
    tiny_model.retensor(folder, model__layers__1__mlp__up_proj__weight=None)
    with pytest.raises(CheckpointError, match="up_proj"):
        LocalEngine.open(open_checkpoint(folder), stop_ids=[], pad_id=0)


def test_an_untied_config_without_a_head_is_refused(folders, tmp_path):
    folder = shutil.copytree(folders["llama"], tmp_path / "copy")
    tiny_model.edit(folder / "config.json", tie_word_embeddings=False)
    with pytest.raises(CheckpointError, match=r"lm_head\.weight"):
        LocalEngine.open(open_checkpoint(folder), stop_ids=[], pad_id=0)


@pytest.mark.parametrize(
    "changes",
    [{"hidden_size": 64}, {"num_attention_heads": 5}, {"model_type": "no-such-type"}, {"vocab_size": "many"},
     {"hidden_act": "no-such-function"}, {"num_hidden_layers": 3}, {"vocab_size": 10}, {"num_attention_heads": 0},
     {"rope_parameters": {"rope_type": "no-such"}}, {"rms_norm_eps": "x"}],
)  # fmt: skip
def test_a_config_that_does_not_fit_the_weights_gives_one_clear_error(folders, tmp_path, changes):
    folder = shutil.copytree(folders["llama"], tmp_path / "copy")
    tiny_model.edit(folder / "config.json", **changes)
    with pytest.raises(CheckpointError) as caught:
        LocalEngine.open(open_checkpoint(folder), stop_ids=[], pad_id=0)
    assert caught.value.reason and caught.value.remedy


def test_an_unknown_dtype_is_refused(folders):
    with pytest.raises(UsageError, match="float31"):
        LocalEngine.open(open_checkpoint(folders["llama"]), stop_ids=[], pad_id=0, dtype="float31")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the device")
def test_a_device_that_is_not_there_is_refused(folders):
    with pytest.raises(GenerationError, match="cuda"):
        LocalEngine.open(open_checkpoint(folders["llama"]), stop_ids=[], pad_id=0, device="cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_gives_the_replies_of_the_cpu(folders, llama):
    gpu = LocalEngine.open(open_checkpoint(folders["llama"]), stop_ids=[], pad_id=0, device="cuda")
    assert ids(replies(gpu)) == ids(replies(llama))


def test_memory_that_runs_out_is_one_clear_error(llama, monkeypatch):
    def exhaust(*_, **__):
        torch.empty(1 << 50)  # a petabyte: torch's own error for memory that is not there

    monkeypatch.setattr(llama.model, "forward", exhaust)
    with pytest.raises(GenerationError) as caught:
        llama.losses([([5, 6, 7], [0, 1, 1])])
    assert "memory" in caught.value.fact and "batch" in caught.value.remedy


def test_importing_generate_is_light():
    code = "import sys, modelqa.generate; print([m for m in ('torch', 'transformers') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.strip() == "[]"


def test_a_reply_survives_json(llama):
    (reply,) = replies(llama, PROMPTS[:1]).values()
    assert Reply.from_json(reply.to_json()) == reply
