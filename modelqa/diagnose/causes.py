"""The ladder of explanations, most mundane first: what shows each, what only hints at it, what rules it out.

Patterns are those of `fnmatch`, over reason codes (see `modelqa.reasons`) and over names of gates, in which an
expectation `data[train.rows]` is written data.train.rows.
"""

from __future__ import annotations

from modelqa.diagnose.cause import Cause

_SAVED_WRONGLY = (
    "weights.untied",
    "weights.generation",
    "weights.nonfinite",
    "weights.shapes",
    "weights.architecture",
    "weights.missing_key",
    "weights.extra_key",
    "weights.dtype",
    "weights.zero_rows",
    "weights.duplicate_rows",
    "weights.outlier_row",
    "weights.special_norm",
    "weights.untrained_row",
    "weights.unchanged",
    "weights.same_as_baseline",
    "weights.merge",
)

CAUSES = (
    Cause(
        "gate_code",
        "A gate's own code failed, or the session died: nothing is known of the model.",
        "mend the gate that is named, or run again; replies that were made are kept",
        shown=("crashed", "died", "missing_replies", "no_cases", "benchmarks.other_text"),
    ),
    Cause(
        "evidence",
        "What a gate looks at is missing, damaged or refused: nothing is known of the model.",
        "do what the message of the gate says, then run again; replies that were made are kept",
        shown=("unusable",),
    ),
    Cause(
        "measure",
        "The measure: something is demanded less than at the last release or in a phase before, and nothing says why.",
        "take the change back, or write its reason into suites/ledger.toml: modelqa thresholds names what lacks one",
        shown=("harness.loosened*",),
        cleared=("thresholds",),
    ),
    Cause(
        "harness",
        "The harness is at fault: a model that is known to be good fails on the same path, or random weights pass.",
        "compare a reply of the reference with that of plain `generate`; change nothing about the candidate before",
        shown=("reference_ids.*", "reference_floor.*", "random_twin.*", "told_apart.*", "reference_bits.*"),
        cleared=("random_twin", "reference_ids", "reference_floor", "told_apart", "reference_bits"),
    ),
    Cause(
        "served_model",
        "The server: it does not say what these weights say, so it serves others, or in its own way.",
        "serve the very folder that --model names, in the type that --modelqa-dtype names, without sampling or penalty "
        "defaults of its own; or let this process make the replies",
        shown=("parity.engine",),
        cleared=("engine",),
    ),
    Cause(
        "prompt_format",
        "The prompt format: the model was trained in one and is asked in another.",
        "put one training row, as it was fed, beside one evaluation prompt, id by id: modelqa capture FILE. Train "
        "through apply_chat_template, or evaluate with the template that training used",
        shown=("parity.template", "parity.render", "parity.bos", "parity.template_hash"),
        hinted=(
            "stop_token.*",
            "unending_replies.*",
            "looping_replies.*",
            "format_strict.*",
            "operators.*",
            "echo_basic.*",
            "copied_prompts.*",
            "parity.logged_loss",
        ),
        cleared=("template", "template_hash", "rendering", "bos_count"),
    ),
    Cause(
        "stop_token",
        "The stop token: training never showed where an answer ends, or generation stops at another token. Loops are "
        "its usual face; cleaner data does not cure them.",
        "make the end-of-turn token count in the loss of every row, and name it as eos_token_id in "
        "generation_config.json",
        shown=("harness.stop_ids", "parity.stop_supervised", "data.*.end_of_turn"),
        hinted=("stop_token.*", "unending_replies.*", "looping_replies.*", "format_strict.*", "parity.logged_loss"),
        cleared=("stop_token", "stop_ids", "stop_supervised", "data.*.end_of_turn", "unending_replies"),
    ),
    Cause(
        "loss_mask",
        "The loss mask: training learnt tags or the user's text instead of the answers alone.",
        "mark what the assistant says with {% generation %} and train with assistant_only_loss, or mend the collator; "
        "look at the mask: modelqa data inspect, modelqa capture FILE",
        shown=("parity.mask", "data.*.mask",),
        hinted=("role_tags.*", "copied_prompts.*", "format_strict.*"),
        cleared=("data.*.mask",),
    ),
    Cause(
        "packing",
        "Packing: in training an episode saw the ones before it in its row, which it never does in evaluation.",
        "feed packed rows with position ids that start again, without an attention mask and with use_cache=False; "
        "modelqa data prepare --enable_packing writes such rows",
        shown=("parity.packing",),
        cleared=("packing",),
    ),
    Cause(
        "data_count",
        "The data count: the trainer saw other rows, or far fewer, than it was meant to. A page of a dataset is learnt "
        "by heart, down to a loss of zero.",
        "count the rows at every step from the source to the trainer; modelqa preflight does it before training",
        shown=("data.*.rows", "data.files.*", "training.samples", "training.zero_loss", "training.full_accuracy"),
        hinted=("regression_basic.*",),
        cleared=("data.train.rows", "data.*.rows", "data.files.*", "samples"),
    ),
    Cause(
        "contamination",
        "Contamination: what is evaluated stands in the training data, so good scores say nothing.",
        "drop the rows that are named from training, or draw other cases: --modelqa-case-seed",
        shown=("data.train_val.*", "data.train_cases.*", "data.val_cases.*", "data.ancestors_*", "benchmarks.leaked"),
        cleared=("data.train_cases.*", "data.train_val.*", "data.val_cases.*", "data.ancestors_*"),
    ),
    Cause(
        "data_content",
        "The rows themselves: malformed, of the wrong kinds, or not in the shares that were meant.",
        "look at the rows that are named; mix by output shares: modelqa data mix",
        shown=("data.*",),
        hinted=("anti_echo.*", "regression_basic.*"),
        cleared=("data.*",),
    ),
    Cause(
        "special_ids",
        "The ids of special tokens: tokenizer, configs and embedding do not mean the same ids.",
        "save tokenizer and model together again, from the run that trained them; do not add tokens afterwards",
        shown=("weights.special_ids", "weights.vocabulary", "weights.id_map"),
        hinted=("role_tags.*", "stop_token.*", "format_strict.*", "parity.logged_loss"),
        cleared=("special_ids", "vocabulary"),
    ),
    Cause(
        "checkpoint_file",
        "The checkpoint file: what was saved is not what was trained.",
        "save it again with save_pretrained and compare hashes; check the tie flag, the dtype, and that every shard "
        "arrived whole",
        shown=(*_SAVED_WRONGLY, "parity.logged_loss", "parity.adapter"),
        hinted=("garbage_replies.*", "parity.template", "stop_token.*", "echo_basic.*", "weights.vocabulary",
                "crashed", "unusable"),
        cleared=("tied_embeddings", "finite_weights", "shapes", "keys", "logged_loss"),
    ),
    Cause(
        "reply_path",
        "The path to a reply: batch, cache, mode, repetition or the type of numbers change what the model says.",
        "pad on the left, pass attention masks, call model.eval(), decode greedily. A cache difference alone is often "
        "a false alarm: see whether the answers are still right",
        shown=("parity.mode", "parity.repeat", "parity.batch", "parity.cache", "parity.dtype", "parity.noise"),
        cleared=("mode", "repeatable", "batching", "cache"),
    ),
    Cause(
        "results",
        "The numbers, not the model: what another harness measured does not bear what is said with it.",
        "state n, chance and the questions; ask the same questions of both models; import the harness's own files: "
        "modelqa import",
        shown=("benchmarks.*",),
        cleared=("results_stated", "results_above_chance", "results_by_knowledge"),
    ),
    Cause(
        "recipe",
        "The recipe: a setting differs from the sibling's or the parent's that was not meant to.",
        "read the two recipes side by side; copied notebooks drift",
        shown=("training.recipe",),
        cleared=("recipe",),
        mundane=False,
    ),
    Cause(
        "resume",
        "The run is not one run: a piece of its log is missing, or a resume lost the optimiser or the schedule.",
        "resume from a whole checkpoint (optimizer, scheduler and random state), or train again in one go",
        shown=("training.gap", "training.resumed", "training.reset", "training.log"),
        cleared=("gaps", "resumes"),
        mundane=False,
    ),
    Cause(
        "learning_rate",
        "The learning rate: too high, and the loss rises or becomes no number; nothing reaches the weights, and it "
        "does not move.",
        "halve the rate until three evaluations fall; where nothing moves, look for frozen or detached weights and "
        "for labels that are all masked",
        shown=("training.nan", "training.diverged", "training.flat", "training.chance", "weights.frozen"),
        hinted=("garbage_replies.*", "training.zero_loss"),
        cleared=("finite_losses", "divergence", "flat_loss", "learning"),
        mundane=False,
    ),
    Cause(
        "training_length",
        "Too long or too short: rows known by heart, or seen too seldom to be learnt.",
        "stop at the best evaluated step; 2 to 3.5 passes over the supervised tokens, at most 5. Where few tokens "
        "count in the loss (13% is typical of short episodes), pack the rows: modelqa data prepare --enable_packing",
        shown=("training.coverage", "training.not_best", "training.overfit", "training.zero_loss",
               "training.full_accuracy"),
        hinted=("operator_*", "echo_basic.*"),
        cleared=("coverage", "shipped_step", "zero_loss"),
        mundane=False,
    ),
    Cause(
        "structure_only",
        "A loss mirage: the loss is low on tags and full stops, not on what is said.",
        "watch the loss of the content apart; supervise fewer structural tokens",
        shown=("training.mirage",),
        cleared=("content_loss",),
        mundane=False,
    ),
    Cause(
        "corpus_junk",
        "Junk in what the model was pre-trained on, or too little training: the same odd tokens after every prompt. "
        "Fine-tuning data that is cleaner does not cure it, nor does a stop token.",
        "search the pre-training corpus for the tokens that are named; of an untrained model, train longer",
        shown=("garbage_replies.*", "attractor_words.*"),
        cleared=("garbage_replies", "attractor_words"),
        mundane=False,
    ),
    Cause(
        "diversity",
        "Too little diversity in the data: one answer for everything.",
        "add anti-echo and contrast rows (modelqa data echo), and check the shares of the mix",
        shown=("one_answer.*", "echo_collapse.*", "regression_collapse.*"),
        hinted=("anti_echo.*", "operator_contrast.*", "regression_basic.*", "attractor_words.*"),
        cleared=("one_answer", "echo_collapse", "regression_collapse"),
        mundane=False,
    ),
    Cause(
        "shortcut",
        "A shortcut of multiple choice: a letter, a place or the look of an option is chosen, not what is asked.",
        "put the right option at every place alike in training, and give multiple choice half of the rows until it is "
        "right in every rotation; trust no score on unrotated options",
        shown=(
            "behaviour.letter_prior",
            "behaviour.place",
            "behaviour.options_only",
            "behaviour.stem_blind",
        ),
        cleared=("choice",),
        mundane=False,
    ),
    Cause(
        "answer_form",
        "The form of the answers: they choose no option at all, or are worse than a guess. Such a score says nothing "
        "of what the model knows.",
        "read what it writes (modelqa generate). Teach the form that is asked for, or declare the one that it was "
        'taught: skills = ["choice in words"] in models.toml',
        shown=("behaviour.unparsed", "behaviour.below_chance"),
        mundane=False,
    ),
    Cause(
        "templates_memorised",
        "Phrasings were learnt instead of operations: the operator in a request is not read.",
        "train on more phrasings of each operator, with the same payload under all three: modelqa data operators",
        shown=("operator_contrast.*", "copied_prompts.*"),
        hinted=("operators.*", "operator_*", "echo_basic.*"),
        cleared=("operator_contrast", "copied_prompts"),
        mundane=False,
    ),
    Cause(
        "language_unlearnt",
        "The language was unlearnt: the rows hold answers alone, and nothing kept what the base knew of plain text.",
        "replay plain text of the base's kind in the mix, or lower the learning rate and the passes",
        shown=("behaviour.language_lost",),
        hinted=("garbage_replies.*",),
        cleared=("language",),
        mundane=False,
    ),
    Cause(
        "untaught",
        "Skills that the training rows do not hold, or hold one side of only: every order obeyed, every question "
        "answered, or none.",
        "count the rows of each kind in the mix, and teach each with its contrast: modelqa data instructions",
        shown=("abstention.floor", "injection.floor", "hierarchy.floor", "turns.floor", "strict_output.floor"),
        hinted=("abstention.*", "citation.*", "strict_output.*", "injection.*", "hierarchy.*", "turns.*"),
        mundane=False,
    ),
    Cause(
        "forgotten",
        "A skill of the baseline was lost while another was learnt: its rows are too few, or too far back.",
        "read the lost cases side by side (modelqa compare), and replay rows of their kind in the mix",
        shown=("behaviour.regressed",),
        cleared=("not_worse*",),
        mundane=False,
    ),
)
"""In this order."""

MODEL = Cause(
    "model",
    "The model: what is below holds, and it does not do what is asked of this phase.",
    "train what the gate asks for, or give it a phase that promises less",
    shown=("*.below", "*.floor", "*.failed"),
)
"""For what no mundane cause explains."""

LEADS_TO = {
    "weights.shapes": ("weights.vocabulary",),
    "weights.nonfinite": ("crashed", "unusable"),
    "training.nan": ("training.zero_loss",),
    "echo_collapse.below": ("attractor_words.below",),
    "regression_collapse.below": ("attractor_words.below",),
    "one_answer.below": ("attractor_words.below",),
}
"""{code: those that follow from it}: the rows that a matrix lacks, a calculation without a number, the loss of 0 that a
trainer writes in place of one, the words of an answer that comes every time. What follows is a hint and no more.
"""
