"""Rung 5: is the model asked what it was trained on, and does the path to its replies change them?"""

from pathlib import Path

from modelqa import Problem, content, deny, gate, not_asked, parity, unsettled
from modelqa.data.captured import read_capture
from modelqa.data.rows import read_rows, sampled
from modelqa.errors import DataError
from modelqa.files import read_jsonl, sha256_file
from modelqa.gates import read_cases
from modelqa.logs import course, read_log

# Copies, questions, facts and sums: 200 of phase3a2's validation rows. The 48 controls alone are too few to tell apart
# two formats that a model knows about equally well.
ANSWERS = Path(__file__).parent / "answers.jsonl"
CONTROLS = Path(__file__).parents[1] / "harness" / "controls.jsonl"
VALIDATED = 1000  # sampled validation rows whose loss is measured, as on the training rung
MEASURED = 24  # controls on which the paths to a reply are compared: enough for a fault that touches every batch
PATH_TOKENS = 32  # length of the replies that are compared
ARITHMETIC = 16  # conversations whose answers are read in two arithmetics: about 75 tokens of the shipped models


def conversations(lab, cases=CONTROLS):
    """Each case with its right answer, as training would have shown it."""
    return [
        [*lab.messages("candidate", case.messages), {"role": "assistant", "content": case.answer}]
        for case in read_cases(cases)
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
    if model.capture is None:
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


def test_template(lab, measured):
    """Right answers are likelier under the model's own template than written any other common way."""
    fit = lab.measure(parity.template_fit, conversations(lab, ANSWERS))
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


def test_logged_loss(model, lab, measured):
    """The weights give the validation rows the loss that the log ends with: they are those that were trained.

    Documents of a base, or supervised answers. A log with rewards in it holds the loss of preferences, another number.
    """
    if not model.val or model.trainer_log is None:
        not_asked(f"no log and validation rows are declared: [models.{model.name}] trainer_log, val")
    try:
        log = read_log(model.trainer_log)
    except DataError:
        not_asked("the log cannot be read, which the training rung says")
    if log.series("reward"):
        not_asked("the log holds the loss of preferences, not that of answers")
    logged = course.evaluated_loss(log, shipped=model.step if model.step is not None else log.last_step)
    if logged is None:
        not_asked("the log holds no evaluation")
    if model.stage == "base":  # its rows are documents, which no reader of conversations takes
        held = sampled((row for path in model.val for _, row in read_jsonl(path)), VALIDATED)
        losses = lab.measure(content.document_losses, [row["messages"][-1]["content"] for row in held])
    else:
        rows = sampled((row for path in model.val for _, row in read_rows(path)), VALIDATED)
        losses = lab.measure(content.split_losses, [row["messages"] for row in rows])
    measured.update(logged=logged, nats=losses["all"]["nats"])
    deny(content.logged_problems(losses, logged=logged))


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


def test_packing(model, lab, measured):
    """An episode inside its pack gets the logits that it gets alone, fed exactly as training fed the pack.

    Evaluation never packs. Where training packed several episodes into a row, they must not have seen each other; what
    keeps them apart is easily switched off by one keyword (an attention mask beside the position ids, a key-value
    cache), and nothing but the logits shows it. The first packed rows of the capture are fed to the model twice: whole,
    as captured, and episode by episode. NOT ASKED where training packed nothing.
    """
    if model.capture is None:
        not_asked(f"no capture is declared for {model.name}, which would show whether training packed")
    fed = read_capture(model.capture)
    rows = parity.packed_rows(fed.rows, fed.pad, use_cache=bool(fed.about.get("use_cache", False)))
    if not rows:
        not_asked("training fed one episode a row, or did not mark where one ends")
    if "attention" in fed.about:
        unsettled(f"training fed a {fed.about['attention']} attention mask, whose values the capture does not hold")
    gaps = lab.measure(parity.packing_gaps, rows)
    measured["worst"] = max(gap["worst"] for gap in gaps)
    deny(parity.packing_problems(gaps, rows[0], dtype=lab.settings.dtype))


def answers(lab):
    """The first controls' right answers as (ids, mask): the same text for every arithmetic and every model."""
    chat = lab.subject("candidate").chat
    episodes = [chat.episode(conversation) for conversation in conversations(lab)[:ARITHMETIC]]
    return [(list(episode.ids), list(episode.mask)) for episode in episodes]


def test_own_dtype(lab, checkpoint, measured):
    """In the type that it is stored in, the model prefers the tokens that it prefers in the arithmetic of this run.

    Gates compute in float32; whoever uses the model loads it in its own type. Both read the same right answers, and a
    place where they prefer different tokens counts only when float32 is sure by more than rounding can move (eight
    roundings of the largest logit). NOT ASKED where both are one type.
    """
    own = parity.stored_dtype(checkpoint)
    if own == lab.settings.dtype:
        not_asked(f"the weights are stored in {own}, and this run computes in it")
    exact = lab.measure(parity.best_tokens, answers(lab))
    stored = lab.measure(parity.best_tokens, answers(lab), dtype=own)
    measured["dtype"] = own
    deny(parity.dtype_problems(exact, stored, own))


def test_adapter(model, checkpoint, lab):
    """The merged weights prefer the tokens that base and adapter prefer side by side, with nothing merged.

    The tensors are compared by the gate `merge`, each number within the rounding of its stored type. Roundings that all
    lean one way pass it - a small update merged in 16 bits can vanish from every number - and show here. The adapter is
    added to the outputs of the base's modules, as training had it.
    """
    if model.adapter is None:
        not_asked("no adapter is declared")
    # A parent that is the baseline too stands there as the baseline.
    role = next((role for role, beside in lab.beside.items() if beside.name == model.parent), None)
    if role is None:
        not_asked("no parent is declared: the adapter has nothing to stand beside")
    merged = lab.measure(parity.best_tokens, answers(lab))
    digest = sha256_file(model.adapter / "adapter_model.safetensors")
    apart = lab.measure(parity.adapted_tokens, answers(lab), str(model.adapter), digest, role=role)
    deny(parity.adapter_problems(apart, merged, parity.stored_dtype(checkpoint)))


def test_engine(lab, measured):
    """Asked the same rendered prompts, the server gives the replies that these weights give in this process.

    Asked only with `--modelqa-engine URL`. It is what ties the server to the checkpoint that is judged: a server may
    hold other weights, compute in another type, or add settings of its own. A reply counts as fragile, not as
    different, where the local engine's best two tokens are nearer than the noise of the arithmetic that
    `--modelqa-dtype` names.
    """
    if lab.served("candidate") is None:
        not_asked("replies are made in this process: there is no second engine")
    floor = parity.noise(lab.settings.dtype, lab.measure(parity.best_tokens, answers(lab))["largest"])
    prompts = [lab.prompt("candidate", case.messages) for case in read_cases(CONTROLS)[:MEASURED]]
    found = lab.beside_server(prompts, max_new_tokens=PATH_TOKENS, floor=floor)
    measured.update(found)
    deny(parity.engine_problems(found))
    if found["unknown"]:
        unsettled(f"the server gave no usable reply to {found['unknown']} of {len(prompts)} prompts")
