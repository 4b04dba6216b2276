"""Every reason code of the shipped gates, and the one gate that gives it: a closed set.

A code is for machines - diagnosis, mutants, cards - and is stable; the sentence beside it is for people. No two gates
share a code: it says which gate spoke. Three kinds are made from names: a gate over replies says GATE.below or
GATE.floor, a check that fails a bare assert says GATE.failed, and an expectation of a data suite says data.ID.
"""

from __future__ import annotations

import re
from dataclasses import replace

from modelqa.record import BY_ITSELF, GateResult, Status, Verdict

GATES: dict[str, str] = {
    "harness.stop_ids": "stop_ids",
    "harness.loosened": "thresholds",
    "harness.loosened_in_chain": "thresholds",
    "weights.untied": "tied_embeddings",
    "weights.nonfinite": "finite_weights",
    "weights.vocabulary": "vocabulary",
    "weights.special_ids": "special_ids",
    "weights.generation": "generation_settings",
    "weights.shapes": "shapes",
    "weights.architecture": "architecture",
    "weights.missing_key": "keys",
    "weights.extra_key": "keys",
    "weights.dtype": "dtype",
    "weights.zero_rows": "embedding_rows",
    "weights.duplicate_rows": "embedding_rows",
    "weights.outlier_row": "embedding_rows",
    "weights.special_norm": "special_rows",
    "weights.untrained_row": "special_rows",
    "weights.unchanged": "change",
    "weights.frozen": "change",
    "weights.id_map": "id_map",
    "weights.merge": "merge",
    "data.grader_contract": "grader_contract",
    "training.log": "log",
    "training.nan": "finite_losses",
    "training.zero_loss": "zero_loss",
    "training.full_accuracy": "zero_loss",
    "training.chance": "learning",
    "training.flat": "flat_loss",
    "training.diverged": "divergence",
    "training.overfit": "divergence",
    "training.not_best": "shipped_step",
    "training.gap": "gaps",
    "training.resumed": "resumes",
    "training.reset": "resumes",
    "training.coverage": "coverage",
    "training.samples": "samples",
    "training.mirage": "content_loss",
    "training.recipe": "recipe",
    "parity.render": "rendering",
    "parity.bos": "bos_count",
    "parity.template_hash": "template_hash",
    "parity.stop_supervised": "stop_supervised",
    "parity.mask": "loss_mask",
    "parity.logged_loss": "logged_loss",
    "parity.template": "template",
    "parity.mode": "mode",
    "parity.repeat": "repeatable",
    "parity.batch": "batching",
    "parity.cache": "cache",
    "parity.packing": "packing",
    "parity.dtype": "own_dtype",
    "parity.adapter": "adapter",
    "parity.engine": "engine",
    "weights.same_as_baseline": "changed",
    "behaviour.language_lost": "language",
    "behaviour.regressed": "not_worse",
    "benchmarks.missing": "results_stated",
    "benchmarks.n": "results_stated",
    "benchmarks.unscored": "results_stated",
    "benchmarks.chance_level": "results_stated",
    "benchmarks.other_weights": "results_stated",
    "benchmarks.below_chance": "results_above_chance",
    "benchmarks.at_chance": "results_above_chance",
    "benchmarks.constant": "results_above_chance",
    "benchmarks.blind": "results_above_chance",
    "benchmarks.letters": "results_by_knowledge",
    "benchmarks.options_only": "results_by_knowledge",
    "benchmarks.one_letter": "results_by_knowledge",
    "benchmarks.tax": "alignment_tax",
    "benchmarks.tax_set": "alignment_tax",
    "benchmarks.worse_than_baseline": "results_against_baseline",
    "benchmarks.baseline_set": "results_against_baseline",
    "benchmarks.too_good": "results_too_good",
    "benchmarks.leaked": "results_too_good",
    "benchmarks.other_format": "results_too_good",
    "benchmarks.worse_than_cheaper": "results_against_cheaper",
    "benchmarks.cheaper_set": "results_against_cheaper",
    "benchmarks.trend": "results_trend",
    "benchmarks.trend_not_reproduced": "results_trend",
    "benchmarks.perplexity_set": "results_perplexity",
    "benchmarks.perplexity_tokenizer": "results_perplexity",
    "benchmarks.contradiction": "results_perplexity",
    "parity.noise": "noise_floor",
    "benchmarks.other_text": "fixed_text",
    "behaviour.unparsed": "choice",
    "behaviour.below_chance": "choice",
    "behaviour.letter_prior": "choice",
    "behaviour.place": "choice",
    "behaviour.options_only": "choice",
    "behaviour.stem_blind": "choice",
}
"""{code: the gate that gives it}. A gate may give several."""

SHARED: dict[str, str] = {
    "no_cases": "nothing was judged",
    "few_cases": "too few cases to prove either side",
    "not_drawn": "it stopped early: the cases that would decide were not asked",
    "clustered": "the template families disagree",
    "no_threshold": "the phase table has no row",
    "missing_replies": "some replies were never made",
    "toothless": "a policy that knows nothing passes the gate",
    "crashed": "the gate's own code failed",
    "unusable": "what the gate looks at is missing, damaged or refused, as its message says",
    "unsettled": "what was measured proves neither side",
    "no_evidence": "what the gate looks at is not declared or not there",
    "not_asked": "the gate does not concern this model",
    "later_phase": "the gate is asked from a later phase on",
    "informational": "printed, not gated",
    "lower_rung": "a lower rung has to hold first",
    "deselected": "left out on the command line",
    "died": "the worker that made the replies died",
    "not_run": "the session ended first",
}
"""{code that any gate may carry: what it says}: why there is no verdict on the model."""

_MADE = re.compile(r"(?P<gate>\w+)\.(?:below|floor|failed)|(?P<data>data\..+)")


def gate_of(code: str) -> str | None:
    """The gate that gives a code; None for a shared code, and for one that no shipped gate gives."""
    if code in GATES:
        return GATES[code]
    made = _MADE.fullmatch(code)
    if made is None:
        return None
    return made["gate"] or f"data[{code.removeprefix('data.')}]"


def alone(result: GateResult) -> Verdict:
    """What a gate says by itself: its verdict, or the one that it would have if no lower rung stood in its way.

    Of a verdict that is blocked the record keeps the code alone: its place is the gate.
    """
    if result.verdict.code != "lower_rung":
        return result.verdict
    code = str(result.measured.get(BY_ITSELF, ""))
    status = Status.PASS if not code else Status.INCONCLUSIVE if code in SHARED else Status.FAIL
    return replace(result.verdict, status=status, code=code, locus=result.gate if code else "")
