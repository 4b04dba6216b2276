"""One training stage with `transformers.Trainer`: encoded rows in, trained weights and a real trainer_state.json out.

One thread and fixed seeds: on one machine a stage run twice gives the same losses (see tests/test_training.py).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from modelqa.training.batches import PlannedBatches, plan_batches
from modelqa.training.circles import WEIGHT, circles
from modelqa.training.encode import IGNORED, Encoded, rows_of, tensor_batch
from modelqa.training.tokenizer import DOCUMENT_END

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast, Trainer, TrainerCallback, TrainingArguments

    from modelqa.training.capture import Capture

INIT_STD = 0.03  # of every weight matrix; a small model trains faster from it than from 0.02


@dataclass(frozen=True)
class Schedule:
    """How long and how fast a stage trains.

    passes         times through the rows (for short episodes the same as masked-token passes; 2 to 3.5, 5 is too many)
    tokens         padded tokens in a batch
    learning_rate  peak rate of AdamW; Muon's is a fixed multiple of it
    decay          share of the steps, at the end, over which the rate falls linearly to zero
    warmup         steps of linear rise
    seed           order of the rows, and the initial weights of a stage without parent
    circles        share of the rows whose answer is also shown running on past its end (`modelqa.training.circles`)
    """

    passes: float
    learning_rate: float
    seed: int
    tokens: int = 2048
    decay: float = 0.6
    warmup: int = 20
    weight_decay: float = 0.01
    logging_steps: int = 10
    eval_steps: int = 100
    circles: float = 0.0


@dataclass(frozen=True)
class Shape:
    """The size of a model; everything else is Llama's default."""

    hidden_size: int = 128
    intermediate_size: int = 384
    num_hidden_layers: int = 4
    num_attention_heads: int = 4
    max_position_embeddings: int = 512


def one_thread() -> None:
    """Make torch use one thread: faster than two for models of this size, and reproducible."""
    import torch

    torch.set_num_threads(1)


def new_model(shape: Shape, tokenizer: PreTrainedTokenizerFast, *, seed: int) -> LlamaForCausalLM:
    """A randomly initialised LlamaForCausalLM with tied embeddings for this tokenizer."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.hidden_size,
        intermediate_size=shape.intermediate_size,
        num_hidden_layers=shape.num_hidden_layers,
        num_attention_heads=shape.num_attention_heads,
        num_key_value_heads=shape.num_attention_heads,
        max_position_embeddings=shape.max_position_embeddings,
        initializer_range=INIT_STD,
        tie_word_embeddings=True,
        attention_dropout=0.0,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return LlamaForCausalLM(config)


def prime_special_tokens(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    """Give the chat tokens, which a base model has never met, the embeddings of tokens that do their work.

    The end of a turn starts as the end of a document, every other mark as a line break, padding as the mean. Without
    this the first steps of fine-tuning are spent on undoing what pre-training did to rows that it never used.
    """
    import torch

    table = cast("torch.Tensor", model.get_input_embeddings().weight)
    newline = cast("int", tokenizer("\n", add_special_tokens=False)["input_ids"][0])
    end = tokenizer.convert_tokens_to_ids(DOCUMENT_END)
    with torch.no_grad():
        for token in tokenizer.all_special_ids:
            if token != end:
                table[token] = table[newline]
        table[cast("int", tokenizer.eos_token_id)] = table[cast("int", end)]
        table[cast("int", tokenizer.pad_token_id)] = table.mean(dim=0)


def make_trainer(
    model: LlamaForCausalLM,
    *,
    train: Sequence[Encoded],
    val: Sequence[Encoded],
    schedule: Schedule,
    pad: int,
    scratch: Path,
    max_steps: int | None = None,
    capture: Capture | None = None,
) -> Trainer:
    """A Trainer that feeds the planned batches; its epochs are passes through the rows.

    The loss is the model's own, but logits are made only where a label is: a third less work for short answers.

    max_steps  cuts the run short without changing the schedule: the first steps are those of the full run
    capture    is shown every training batch and saved at the end
    """
    lengths = [len(row.ids) for row in train]
    plan = plan_batches(lengths, passes=schedule.passes, tokens=schedule.tokens, seed=schedule.seed)
    return _planned_trainer(plan, schedule, capture, pad)(
        model=model,
        args=_arguments(schedule, scratch, rows=len(train), batches=len(plan), max_steps=max_steps),
        train_dataset=list(train),
        eval_dataset=list(val),
        data_collator=lambda rows: tensor_batch(rows, pad),
        callbacks=[cast("TrainerCallback", capture)] if capture else [],
        optimizers=_optimizer(model, schedule, steps=len(plan)),
    )


def _planned_trainer(
    plan: Sequence[Sequence[int]], schedule: Schedule, capture: Capture | None, pad: int
) -> type[Trainer]:
    """A kind of Trainer that feeds these batches in order, shows them to `capture`, and counts answers alone.

    With `circles` in the schedule the logged training loss has their term in it; the evaluation loss never has.
    """
    import torch
    from transformers import Trainer

    class PlannedTrainer(Trainer):
        def get_train_dataloader(self) -> Any:
            sampler = PlannedBatches(plan, passes=schedule.passes)
            return torch.utils.data.DataLoader(
                cast("Any", self.train_dataset), batch_sampler=sampler, collate_fn=self.data_collator
            )

        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            if capture and model.training:
                capture.see(**inputs)
            loss = answer_loss(model, inputs["input_ids"], inputs["labels"])
            if schedule.circles and model.training:
                rng = random.Random(f"{schedule.seed} {self.state.global_step}")
                loss = loss + circle_loss(model, rows_of(inputs), share=schedule.circles, rng=rng, pad=pad)
            return (loss, {}) if return_outputs else loss

    return PlannedTrainer


def _arguments(
    schedule: Schedule, scratch: Path, *, rows: int, batches: int, max_steps: int | None
) -> TrainingArguments:
    """What the Trainer is told: one process on the CPU, a log as the schedule asks for it, nothing saved or sent."""
    from transformers import TrainingArguments

    return TrainingArguments(
        output_dir=str(scratch),
        per_device_train_batch_size=max(1, round(rows * schedule.passes / batches)),
        per_device_eval_batch_size=64,
        max_steps=min(batches, max_steps or batches),
        learning_rate=schedule.learning_rate,
        weight_decay=schedule.weight_decay,
        max_grad_norm=1.0,
        seed=schedule.seed,
        logging_steps=schedule.logging_steps,
        eval_strategy="steps",
        eval_steps=schedule.eval_steps,
        eval_on_start=True,
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        dataloader_pin_memory=False,
        dataloader_num_workers=0,
        disable_tqdm=True,
        prediction_loss_only=True,
        remove_unused_columns=False,
    )


def answer_loss(model: LlamaForCausalLM, ids: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean cross entropy of the next token over the labelled positions; equals `model(ids, labels=labels).loss`.

    `ids` and `labels` have shape [rows, tokens]; positions with label -100 are not counted.
    """
    import torch

    hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
    wanted = labels[:, 1:] != IGNORED
    return torch.nn.functional.cross_entropy(model.lm_head(hidden[wanted]).float(), labels[:, 1:][wanted])


def circle_loss(
    model: LlamaForCausalLM, rows: Sequence[Encoded], *, share: float, rng: random.Random, pad: int
) -> torch.Tensor | float:
    """The weighted loss on circles drawn from the rows of a batch; 0 where none is drawn."""
    drawn = circles(rows, share=share, rng=rng)
    if not drawn:
        return 0.0
    batch = tensor_batch(drawn, pad)
    return WEIGHT * answer_loss(model, batch["input_ids"], batch["labels"])


def _optimizer(model: LlamaForCausalLM, schedule: Schedule, *, steps: int) -> tuple[Any, Any]:
    """Muon with AdamW, and the schedule of both over the whole run: rise, plateau, linear fall to zero."""
    import torch

    from modelqa.training.optimiser import muon_adamw

    optimizer = muon_adamw(model, learning_rate=schedule.learning_rate, weight_decay=schedule.weight_decay)

    def factor(step: int) -> float:
        rise = (step + 1) / max(1, schedule.warmup)
        fall = (steps - step) / max(1.0, schedule.decay * steps)
        return max(0.0, min(1.0, rise, fall))

    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
