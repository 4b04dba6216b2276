"""Rung 4: the training run, from what the trainer wrote down. Can the weights be what they are said to be?

`trainer_log` of models.toml names a trainer_state.json, a .jsonl or a .csv. Without one these gates have no evidence.
"""

from modelqa import Problem, content, deny, no_evidence, not_asked
from modelqa.data.captured import read_capture
from modelqa.data.rows import read_rows, sampled
from modelqa.errors import DataError
from modelqa.logs import continuity, course, coverage, read_log, recipes

LEAST_EVALUATIONS = 3  # what three rising ones need
VALIDATED = 1000  # sampled validation rows whose losses are split: of a few hundred, the rare long ones decide


def history(model):
    """The log of the run; a damaged one is `test_log`'s finding, and no evidence for the other gates."""
    path = declared_log(model)
    try:
        return read_log(path)
    except DataError as error:
        no_evidence(f"a log that can be read ({by_name(error.fact, path)})")


def by_name(text, path):
    """A text with the file's name instead of its path, which says where somebody's home is."""
    return text.replace(str(path), path.name)


def declared_log(model):
    if model.trainer_log is None or not model.trainer_log.is_file():
        no_evidence(f'[models.{model.name}] trainer_log = "FOLDER/trainer_state.json", or a .jsonl or .csv that exists')
    return model.trainer_log


def evaluated(model):
    log = history(model)
    if len(log.series("eval_loss")) < LEAST_EVALUATIONS:
        no_evidence(f"at least {LEAST_EVALUATIONS} evaluations in the log: eval_strategy and eval_steps of the trainer")
    return log


def shipped(model, log):
    return model.step if model.step is not None else log.last_step


def captured(model):
    """What a capture saw of the run; None without one."""
    return read_capture(model.capture) if model.capture is not None and model.capture.is_file() else None


def test_log(model, measured):
    """The log can be read, and holds losses by step.

    trainer_state.json of transformers, a .jsonl or a .csv. A log that is cut short is this gate's finding, and missing
    evidence for the others.
    """
    path = declared_log(model)
    try:
        log = read_log(path)
    except DataError as error:
        deny([Problem("training.log", path.name, by_name(f"{error.fact}: {error.reason}", path))])
    measured.update(steps=log.last_step, entries=len(log.entries), **course.fall(log))


def test_finite_losses(model):
    """No loss is NaN or infinite, also not one that the trainer hid as 0.0.

    The Trainer of transformers writes 0.0 for a loss that is no number; a gradient norm beside it gives it away.
    """
    deny(course.finite_problems(history(model)))


def test_zero_loss(model):
    """The training loss does not reach zero, nor accuracy one: then the rows are known by heart.

    Exactly 0.0, or below 0.0001 nats three notes running. Its usual cause is not training for too long but a page of
    the data that was loaded instead of the whole.
    """
    if model.stage == "preference":
        not_asked("a preference loss goes to zero where the pairs are easy")
    deny(course.zero_problems(history(model)))


def test_learning(model, checkpoint):
    """The run ends better than a uniform guess among the vocabulary.

    A last loss near ln(vocabulary) means that nothing reached the weights, or that random ones are scored.
    """
    if model.stage == "preference":
        not_asked("a preference loss is not counted in tokens")
    vocabulary = checkpoint.text_config.get("vocab_size")
    if not isinstance(vocabulary, int) or vocabulary < 2:
        no_evidence("vocab_size in config.json")
    deny(course.chance_problems(history(model), vocabulary=vocabulary))


def test_flat_loss(model):
    """The loss moves; that of preference training leaves ln 2.

    ln 2 = 0.693 is the loss of a preference model that cannot tell the chosen answer from the rejected one.
    """
    deny(course.flat_problems(history(model), preference=model.stage == "preference"))


def test_divergence(model):
    """The evaluation loss does not rise three times running without coming back.

    Each rise is at least 1%: less is the noise of an evaluation set. A run that came back, and shipped the step that
    did, passes.
    """
    log = evaluated(model)
    deny(course.rising_problems(log, shipped=shipped(model, log)))


def test_shipped_step(model, measured):
    """The shipped step is as good as the best one that was evaluated.

    Worse by more than 0.02 nats and 3% is a finding; `step` of models.toml says which step ships, the last one
    otherwise.
    """
    log = evaluated(model)
    measured["step"] = shipped(model, log)
    deny(course.shipped_problems(log, shipped=measured["step"]))


def test_gaps(model):
    """No piece of the log is missing.

    At the start, in between or at the end: two logging intervals and a half without a note. What happened there is not
    known, and no other gate on the log looks at it.
    """
    deny(continuity.gap_problems(history(model)))


def test_resumes(model):
    """A resumed run kept its optimiser and its schedule.

    Where steps repeat, the learning rates noted twice must agree; a rate that falls and warms up again is another run's
    beginning.
    """
    deny(continuity.resume_problems(history(model)))


def test_coverage(model, measured):
    """The data was seen 2 to 5 times, or as often as declared.

    From the epochs of the log, else from what a capture counted. `passes` of models.toml declares another number.
    """
    if model.stage == "base" and model.passes is None:
        not_asked("a base model sees its text about once")
    held = captured(model)
    done = coverage.passes(history(model), held.counters if held else {})
    if done is None:
        no_evidence("epochs in the log, or a capture (modelqa.training.capture.Capture)")
    measured["passes"] = round(done, 3)
    deny(coverage.coverage_problems(done, declared=model.passes))


def test_samples(model):
    """The trainer held the intended rows, and fed them.

    Counted by the capture while training ran, so that neither a file nor a log has to be believed.
    """
    held = captured(model)
    if held is None:
        no_evidence(f'[models.{model.name}] capture = "capture.safetensors", written by modelqa.training.capture')
    processes = held.about.get("world_size", 1)
    intended = None if model.stage == "base" else model.intended_rows
    deny(
        coverage.sample_problems(held.counters, intended=intended, declared=model.passes, processes=processes)
    )


def test_recipe(model, lab):
    """Nothing but the declared factors differs from the recipe of the sibling, or of the parent.

    Recipes drift by copy and paste, a line at a time. Every setting that differs and is not in `factors` is named.
    """
    name = model.sibling or model.parent
    other = lab.registry.models.get(name)
    if model.recipe is None or other is None or other.recipe is None:
        not_asked(
            f"to compare recipes, add recipe = FILE to [models.{model.name}] and to its sibling or parent, "
            "and factors = [...], the settings that were meant to differ"
        )
    own, theirs = recipes.read_recipe(model.recipe), recipes.read_recipe(other.recipe)
    deny(recipes.recipe_problems(own, theirs, name=name, factors=model.factors))


def test_content_loss(model, lab, measured):
    """The loss is low on what is said, not only on tags and punctuation.

    Validation rows are scored and their supervised tokens split. It fails where the loss as a whole is below ln 2 and
    that of the content is not: the number in the log is then one of full stops and tags.
    """
    if model.stage == "base":
        not_asked("plain text has no structure around it")
    if not model.val:
        no_evidence(f'[models.{model.name}] val = ["data/val.jsonl"]')
    rows = sampled((row for path in model.val for _, row in read_rows(path)), VALIDATED)
    losses = lab.measure(content.split_losses, [row["messages"] for row in rows])
    measured.update({name: value["nats"] for name, value in losses.items()})
    deny(content.mirage_problems(losses))
