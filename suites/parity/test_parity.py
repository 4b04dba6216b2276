"""Rung 5: is the model asked what it was trained on, and does the path to its replies change them?"""

from itertools import islice
from pathlib import Path

from modelqa import Problem, content, deny, gate, not_asked, parity, unsettled
from modelqa.data.captured import read_capture
from modelqa.data.rows import read_rows
from modelqa.errors import DataError
from modelqa.gates import read_cases
from modelqa.logs import course, read_log

CONTROLS = Path(__file__).parents[1] / "harness" / "controls.jsonl"
VALIDATED = 200  # validation rows whose loss is measured, as on the training rung: their mean is known to a few percent
MEASURED = 24  # controls on which the paths to a reply are compared: enough for a fault that touches every batch
PATH_TOKENS = 32  # length of the replies that are compared


def conversations(lab):
    """Each control with its right answer, as training would have shown it."""
    return [
        [*lab.messages("candidate", case.messages), {"role": "assistant", "content": case.answer}]
        for case in read_cases(CONTROLS)
    ]


def captured(lab, code):
    """The problems of one kind in what training really fed."""
    return [problem for problem in lab.captured_problems() if problem.code == code]


def test_rendering(lab):
    """What training fed is, id by id, what evaluation renders for the same rows."""
    deny(captured(lab, "parity.render"))


def test_bos_count(lab):
    """Training and evaluation begin with the same number of beginning-of-sequence tokens."""
    deny(captured(lab, "parity.bos"))


def test_template_hash(model, chat):
    """The tokenizer that training used had this very chat template."""
    if model.capture is None or not model.capture.is_file():
        not_asked(f"no capture is declared for {model.name}, which would name the template of training")
    trained = read_capture(model.capture).about.get("template_sha256")
    if trained is None:
        not_asked("the capture names no template: the trainer was given no tokenizer that has one")
    if trained != chat.template_sha256:
        text = f"training had the template {trained[:12]}, the checkpoint has {chat.template_sha256[:12]}"
        deny([Problem("parity.template_hash", "chat_template", text)])


def test_stop_supervised(lab):
    """The end-of-turn token counted in the loss of every row."""
    deny(captured(lab, "parity.stop_supervised"))


def test_loss_mask(model, lab):
    """The loss counted nothing before the answer: neither the question nor the tag that opens the model's turn."""
    if model.stage == "base":
        not_asked("plain text has no question in it")
    deny(captured(lab, "parity.mask"))


def test_logged_loss(model, lab, measured):
    """The weights give the validation rows the loss that the log ends with: they are those that were trained."""
    if model.stage != "sft":
        not_asked("only the loss of supervised answers is known to be the one that the log holds")
    if not model.val or model.trainer_log is None or not model.trainer_log.is_file():
        not_asked(f"no log and validation rows are declared: [models.{model.name}] trainer_log, val")
    try:
        log = read_log(model.trainer_log)
    except DataError:
        not_asked("the log cannot be read, which the training rung says")
    logged = course.evaluated_loss(log, shipped=model.step if model.step is not None else log.last_step)
    if logged is None:
        not_asked("the log holds no evaluation")
    rows = islice((row for path in model.val for _, row in read_rows(path)), VALIDATED)
    losses = lab.measure(content.split_losses, [row["messages"] for row in rows])
    measured.update(logged=logged, nats=losses["all"]["nats"])
    deny(content.logged_problems(losses, logged=logged))


def test_template(lab, measured):
    """Right answers are likelier under the model's own template than written any other common way."""
    fit = lab.measure(parity.template_fit, conversations(lab))
    measured.update({name: f"{row['likelier']}/{row['of']}" for name, row in fit.items()})
    deny(parity.template_problems(fit))
    if unproven := parity.unproven_formats(fit):
        unsettled(f"the own template is not shown to fit better than {', '.join(unproven)}")


@gate(
    cases="../harness/controls.jsonl",
    allows={"*": "a reply that ends may still be wrong: this gate asks only whether the model ends its replies"},
)
def test_stop_token(case, reply):
    """The model ends its replies with a stop token of its own."""
    assert reply.stopped, "never stopped"


def test_mode(lab, checkpoint, measured):
    """Evaluation mode is repeatable, and training mode gives the same losses when there is no dropout."""
    gap = lab.measure(parity.mode_gap, conversations(lab))
    measured.update(gap)
    deny(parity.mode_problems(gap, dropout=parity.dropout(checkpoint.config)))


def paths(lab):
    prompts = [lab.prompt("candidate", case.messages) for case in read_cases(CONTROLS)[:MEASURED]]
    return lab.measure(parity.reply_paths, prompts, max_new_tokens=PATH_TOKENS)


def test_repeatable(lab):
    """Asked twice, the model gives the same ids."""
    deny(parity.path_problems(paths(lab), "repeat"))


def test_batching(lab):
    """Asked one by one, the model gives the ids that it gave in a batch."""
    deny(parity.path_problems(paths(lab), "batch"))


def test_cache(lab):
    """With and without the key-value cache, the model gives the same ids."""
    deny(parity.path_problems(paths(lab), "cache"))
