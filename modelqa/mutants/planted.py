"""Does the diagnosis name what was really done? The planted cause of every kind, and pairs of kinds at once.

The cause is that of the story, by the person who planted it; no code of a gate is looked at here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from modelqa.models import Model
from modelqa.mutants.building import built_apart
from modelqa.mutants.catalogue import KINDS
from modelqa.mutants.kind import Damage, Expected, Kind, Sibling
from modelqa.mutants.matrix import Outcome, Row
from modelqa.mutants.trained import RECIPES, Study, build, read_zoo_recipes, study
from modelqa.mutants.trial import weights_of

_BY_CAUSE = {
    "gate_code": "crashing_check no_questions questions_missing skipped_check returning_gate silent_gate "
    "returning_check fixed_text_edited",
    "measure": "loosened loosened_in_chain",
    "prompt_format": "added_token_missing lowercasing bos_doubled other_format prompt_lost system_dropped "
    "trailing_space fed_otherwise template_since_changed",
    "stop_token": "stop_unwritten lost_stop wrong_stop_everywhere stop_masked damped_stop "
    "stop_unmarked val_stop_unmarked",
    "loss_mask": "no_mask mask_early pack_unmasked header_marked val_header_marked",
    "data_count": "rows_lost fed_too_few loss_zero all_tokens_right manifest_stale val_empty "
    "empty_file kept_more page_read",
    "contamination": "val_in_train jump_leaked val_payload_trained val_template_trained val_quoted ancestor_asked "
    "ancestor_said",
    "data_content": "same_id no_category foreign_role category_lost mix_drifted answers_refused drowned "
    "train_null_id train_no_source train_other_language train_few_prompts val_null_id val_same_id val_no_category "
    "val_foreign_role val_unknown_category val_other_language train_too_long val_too_long one_id_twice rows_copied "
    "answers_contradict",
    "special_ids": "swapped_turn_tokens shifted_special swapped_tokens duplicate_id "
    "wrong_stop",
    "checkpoint_file": "untied_head tie_flag_off tie_flag_on nan infinite missing_layer missing_key extra_key "
    "transposed flattened whole_numbers wrong_dtype parent_again baseline_again merged_twice zero_layer "
    "permuted_layers transposed_square scaled_matrix noise adapter_twice fewer_rows duplicated_rows zero_rows "
    "outlier_row random_special_rows untrained_special_rows truncated_file truncated_shard missing_shard stale_index "
    "pickled remote_code no_tokenizer broken_template more_layers other_activation other_rope half_the_heads "
    "merge_config replies_cut",
    "reply_path": "half_overflow",
    "packing": "pack_masked pack_cached",
    "results": "score_missing n_missing unscored_questions wrong_chance scored_before unparsed_answers few_questions "
    "one_label no_better_than_constant letter_shortcut question_not_read always_b taxed other_quiz worse_data "
    "other_validation jump jump_other_format worse_than_smaller smaller_asked_less off_the_line outlier_told "
    "other_text other_vocabulary contradiction starved",
    "recipe": "recipe_drifted",
    "resume": "log_gap resumed second_warmup log_truncated",
    "learning_rate": "loss_nan loss_rising loss_chance loss_flat frozen_backbone",
    "training_length": "overfit overtrained too_many_passes",
}
CAUSE_OF = {kind: cause for cause, kinds in _BY_CAUSE.items() for kind in kinds.split()}
"""{kind: the cause that was planted}, in the words of `modelqa.diagnose.causes`."""

LESSON_CAUSES = {
    "junk_words": "corpus_junk", "symbols": "corpus_junk", "said_over": "stop_token", "collapsed": "diversity",
    "favourites": "diversity", "tag_writer": "loss_mask", "parrot": "loss_mask", "mirage": "structure_only",
    "seesaw": "forgotten", "copier": "templates_memorised",
}  # fmt: skip
"""{recipe of a trained defect: the cause that was planted}."""

DOUBLES = (
    ("untied_head", "lost_stop"), ("other_format", "nan"), ("duplicate_id", "zero_rows"),
    ("stop_masked", "loss_flat"), ("no_mask", "overtrained"), ("log_gap", "recipe_drifted"),
    ("fed_too_few", "loss_rising"), ("wrong_dtype", "system_dropped"), ("outlier_row", "wrong_stop_everywhere"),
    ("too_many_passes", "second_warmup"), ("missing_key", "trailing_space"), ("loss_zero", "mask_early"),
)  # fmt: skip
"""Two things wrong at once: either may come first."""


@dataclass(frozen=True)
class Figure:
    """How often the planted cause came first: first of `total`; `unknown` were not explained at all."""

    total: int
    first: int
    unknown: int
    missed: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """First of total; 0 of nothing."""
        return self.first / self.total if self.total else 0.0

    @property
    def text(self) -> str:
        """What a person reads."""
        head = f"diagnosis: the planted cause comes first in {self.first} of {self.total} ({self.share:.0%}), "
        missed = f"; missed: {', '.join(self.missed)}" if self.missed else ""
        return f"{head}no cause is known in {self.unknown}{missed}"


def figure(rows: Sequence[Row]) -> Figure:
    """The figure over the rows that were judged, a survivor among them; a checkpoint that was refused has no record."""
    judged = [row for row in rows if row.outcome is not Outcome.NOT_APPLICABLE and row.causes is not None]
    said = {row.kind.name: next(iter(row.causes or ()), "") for row in judged}
    right = [row for row in judged if said[row.kind.name] in planted(row.kind.name)]
    missed = [f"{row.kind.name} ({said[row.kind.name] or 'nothing'})" for row in judged if row not in right]
    return Figure(len(judged), len(right), sum(not cause for cause in said.values()), tuple(missed))


def planted(name: str) -> tuple[str, ...]:
    """The causes that were planted in a kind, in a pair of kinds "a+b", or in a trained defect."""
    return tuple(CAUSE_OF.get(part) or LESSON_CAUSES[part] for part in name.split("+"))


def doubles() -> list[Kind]:
    """The pairs as kinds: both surgeries on one copy, one after the other."""
    by_name = {kind.name: kind for kind in KINDS}
    return [_both(by_name[one], by_name[two]) for one, two in DOUBLES]


def _both(one: Kind, two: Kind) -> Kind:
    evidence = {kind.area for kind in (one, two)} & {"log", "capture"}
    area = "capture" if "capture" in evidence else "log" if evidence else one.area

    def make(sibling: Sibling) -> Damage:
        first = one.make(sibling)
        return two.make(Sibling(first.model, sibling.parent, sibling.seed, first.others))

    expects: tuple[Expected, ...] = (*one.expects, *two.expects)
    # One after the other: the second kind finds the first one's files.
    return Kind(f"{one.name}+{two.name}", area, f"{one.story}; and {two.story}", one.failures, expects, make)


# What a trained defect must get at least, so that it is asked so far.
_SEEN_BY = {
    "mirage": Expected("training.mirage"),
    "seesaw": Expected("behaviour.regressed", "gate"),
}


def lessons(model: Model, models: Mapping[str, Model], *, seed: int, recipes: Path = RECIPES) -> list[Kind]:
    """The trained defects with a planted cause: siblings of `model` from another seed, trained when they are made.

    `UsageError` where there are no recipes, or the model declares no training data that a lesson could change.
    """
    known = read_zoo_recipes(recipes)
    chosen = [replace(known[name], parent=model.name, data="", seed=seed) for name in LESSON_CAUSES]
    return [_studied(study(recipe, models)) for recipe in chosen]


def _studied(work: Study) -> Kind:
    def make(sibling: Sibling) -> Damage:
        folder, _ = built_apart(partial(build, work))
        weights_of(sibling.model, folder)
        return sibling.damaged("", baseline=work.parent.name)

    name = work.recipe.name
    expects = (_SEEN_BY.get(name, Expected("anti_echo.below", "cases")),)
    return Kind(name, "trained", work.recipe.story, (), expects, make)
