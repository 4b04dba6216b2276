"""The model that lm_eval sees: one that renders, encodes, scores and generates as the gates do.

Written against lm_eval 0.4.13 (`lm_eval.api.model.LM`). A chat model is asked through its own template with its
declared system message; a base model is given the text as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lm_eval.api.model import LM

from modelqa.errors import DataError, GenerationError
from modelqa.generate.continuations import continuation_scores
from modelqa.plugin.lab import Lab
from modelqa.reply import Prompt


class EngineModel(LM):  # type: ignore[misc] # lm_eval ships no type information
    """The candidate of a lab, as a model of lm_eval."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self._lab = lab
        self._chat = lab.candidate.chat
        self._rendered: dict[str, Prompt] = {}

    @property
    def tokenizer_name(self) -> str:
        """What lm_eval keeps built requests by: the hash of our template and tokenizer."""
        return f"{self._chat.tokenizer_sha256[:16]}-{self._chat.template_sha256[:16]}"

    def chat_template(self, chat_template: bool | str = False) -> str:
        """The template's text, for the results file."""
        return self._chat.template

    def apply_chat_template(self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        """The conversation as the gates render it; its ids are remembered, so that they are asked and no others."""
        messages = self._lab.messages("candidate", chat_history)
        prompt = self._chat.render(messages, add_generation_prompt=add_generation_prompt)
        self._rendered[prompt.text] = prompt
        return prompt.text

    def loglikelihood(self, requests: list[Any]) -> list[tuple[float, bool]]:
        """(nats, whether greedy decoding would say it) of each continuation."""
        pairs = [self._pair(*request.args) for request in requests]
        return [(float(nats), bool(greedy)) for nats, greedy in self._lab.measure(continuation_scores, pairs)]

    def loglikelihood_rolling(self, requests: list[Any]) -> list[float]:
        """Nats of each whole text, after the beginning-of-sequence token, or after its own first token without one."""
        pairs = []
        for request in requests:
            ids = list(self._chat.tokens.encode(request.args[0]).ids)
            start = [self._chat.bos_id] if self._chat.bos_id is not None else [ids.pop(0)]
            pairs.append([start, ids])
        return [float(nats) for nats, _ in self._lab.measure(continuation_scores, pairs)]

    def generate_until(self, requests: list[Any]) -> list[str]:
        """The greedy reply to each context, up to the first of the request's own stop texts."""
        prompts = [self._prompt(request.args[0]) for request in requests]
        lengths = [_length(request.args[1], self._lab.settings.max_new_tokens) for request in requests]
        texts: dict[int, str] = {}
        for length in sorted(set(lengths)):
            places = [place for place, each in enumerate(lengths) if each == length]
            asked = [prompts[place] for place in places]
            made = self._lab.ask("candidate", asked, needed={p.key for p in asked}, max_new_tokens=length)
            for place in places:
                if prompts[place].key not in made:
                    raise GenerationError(
                        f"a prompt of {len(prompts[place].ids)} tokens does not fit the model",
                        reason="nothing is cut off silently",
                        remedy="use fewer examples, or a smaller max_gen_toks in the task",
                    )
                texts[place] = _until(made[prompts[place].key].text, requests[place].args[1])
        return [texts[place] for place in range(len(requests))]

    def _prompt(self, context: str) -> Prompt:
        return self._rendered.get(context) or Prompt(self._chat.tokens.encode(context).ids, context)

    def _pair(self, context: str, continuation: str) -> list[list[int]]:
        """[ids of the context, ids of what follows]: split where the text of both is read as the context's ids."""
        start = self._chat.bos_id if self._chat.bos_id is not None else self._chat.stop_ids[0]
        ids = list(self._prompt(context).ids) or [start]
        whole = list(self._chat.tokens.encode(context + continuation).ids)
        joined = whole[: len(ids)] == ids and len(whole) > len(ids)
        return [ids, whole[len(ids) :] if joined else list(self._chat.tokens.encode_plain(continuation))]


def _length(options: Mapping[str, Any], default: int) -> int:
    """How many tokens a reply may get; `DataError` for a task that samples."""
    if options.get("do_sample") or float(options.get("temperature") or 0.0) > 0.0:
        raise DataError(
            "the task asks for sampled replies",
            reason="our engine decodes greedily, so that a run can be repeated",
            remedy="set do_sample: false and temperature: 0.0 in the task's generation_kwargs",
        )
    return int(options.get("max_gen_toks") or default)


def _until(text: str, options: Mapping[str, Any]) -> str:
    until = options.get("until") or []
    for stop in [until] if isinstance(until, str) else until:
        text = text.split(stop)[0] if stop else text
    return text


def evaluate(lab: Lab, tasks: Sequence[str], *, include: Path | None, out: Path) -> Path:
    """Run the tasks and write what lm_eval writes, with every sample; the results file."""
    from lm_eval import simple_evaluate
    from lm_eval.loggers import EvaluationTracker
    from lm_eval.tasks import TaskManager

    name = lab.candidate.model.name
    tracker = EvaluationTracker(output_path=str(out))
    found = simple_evaluate(
        model=EngineModel(lab),
        model_args={"model": name, "weights_sha256": lab.candidate.checkpoint.weights_digest},
        tasks=list(tasks),
        task_manager=TaskManager(include_path=str(include) if include else None),
        apply_chat_template=lab.candidate.chats,
        evaluation_tracker=tracker,
        log_samples=True,
    )
    assert found is not None, "lm_eval gives no results to any process but the first"
    samples = found.pop("samples")
    tracker.save_results_aggregated(results=found, samples=samples)
    for task, rows in samples.items():
        tracker.save_results_samples(task_name=task, samples=rows)
    return max(out.rglob("results_*.json"), key=lambda path: path.stat().st_mtime_ns)
