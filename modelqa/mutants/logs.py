"""Defects of what a training run wrote down: its log and its recipe. One event each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from modelqa.files import read_json, write_bytes, write_json
from modelqa.mutants.kind import Damage, Expected, Kind, NotApplicable, Sibling

Entry = dict[str, Any]


def _log(change: Callable[[dict[str, Any]], str], sibling: Sibling) -> Damage:
    """Change a trainer_state.json; `change` gives the locus."""
    path = sibling.model.trainer_log
    if path is None or path.suffix != ".json":
        raise NotApplicable("models.toml declares no trainer_state.json")
    state = read_json(path)
    locus = change(state)
    write_json(path, state)
    return sibling.damaged(locus)


def _losses(state: dict[str, Any], name: str = "loss") -> list[Entry]:
    found = [entry for entry in state["log_history"] if name in entry]
    if len(found) < 4:
        raise NotApplicable(f"its log has fewer than four entries with {name}")
    return found


def _zero(state: dict[str, Any]) -> str:
    last = _losses(state)[-1]
    last["loss"] = 0.0
    return f"step {last['step']}"


def _not_a_number(state: dict[str, Any]) -> str:
    """As the trainer writes it: the loss hidden as 0.0, the gradient infinite."""
    entry = _losses(state)[1]
    entry.update(loss=0.0, grad_norm="inf")
    return f"step {entry['step']}"


def _rising(state: dict[str, Any]) -> str:
    """The last three evaluations are high and rise, as with a rate that is too high: seen at the second of them. The
    training loss rises with them.
    """
    points = _losses(state, "eval_loss")
    last = points[-3:]
    for entry in _losses(state):
        if entry["step"] > points[-4]["step"]:
            entry["loss"] = 3.0
    for factor, entry in zip((1.0, 1.04, 1.08), last, strict=True):
        entry["eval_loss"] = 3.175 * factor
    return f"step {last[-2]['step']}"


def _overfit(state: dict[str, Any]) -> str:
    """The last three evaluations rise by 2% each, and the training loss is half of what it was."""
    points = _losses(state, "eval_loss")
    base = 0.9 * float(points[-4]["eval_loss"])
    for factor, entry in zip((1.0, 1.02, 1.04), points[-3:], strict=True):
        entry["eval_loss"] = base * factor
    for entry in _losses(state):
        if entry["step"] > points[-3]["step"]:
            entry["loss"] = 0.5 * float(entry["loss"])
    return f"step {points[-1]['step']}"


def _overtrained(state: dict[str, Any]) -> str:
    """The best evaluation lies in the middle of the run; what was shipped is the end."""
    points = _losses(state, "eval_loss")
    best = points[len(points) // 2]
    best["eval_loss"] = 0.5 * min(float(point["eval_loss"]) for point in points)
    points[-1]["eval_loss"] = max(float(points[-1]["eval_loss"]), best["eval_loss"] + 0.1)
    return f"step {best['step']}"


def _gap(state: dict[str, Any]) -> str:
    """Five notes in the middle are missing, as after a crash that lost the log."""
    losses = _losses(state)
    if len(losses) < 12:
        raise NotApplicable("its log has fewer than twelve losses")
    lost = losses[5:10]
    state["log_history"] = [entry for entry in state["log_history"] if entry not in lost]
    return f"step {losses[4]['step']}"


def _resumed(state: dict[str, Any]) -> str:
    """The run was resumed from an earlier step with another learning rate."""
    losses = _losses(state)
    again = [{**entry, "learning_rate": float(entry["learning_rate"]) / 3} for entry in losses[-4:-2]]
    at = state["log_history"].index(losses[-1])
    state["log_history"][at + 1 : at + 1] = again
    return f"step {losses[-1]['step']}"


def _chance(state: dict[str, Any]) -> str:
    """The run ends where it began: at the loss of a guess among the vocabulary."""
    losses = _losses(state)
    for entry in losses[-3:]:
        entry["loss"] = 12.5
    return f"step {losses[-1]['step']}"


def _flat(state: dict[str, Any]) -> str:
    """Every loss is ln 2: the run learnt nothing. The whole log is the story."""
    losses = _losses(state)
    for entry in losses:
        entry["loss"] = 0.6931
    return f"step {losses[-1]['step']}"


def _too_long(state: dict[str, Any]) -> str:
    """The epochs are those of a run ten times as long."""
    for entry in state["log_history"]:
        entry["epoch"] = 10 * float(entry["epoch"])
    return f"{float(state['log_history'][-1]['epoch']):.2f} passes"


def _all_right(state: dict[str, Any]) -> str:
    """The last three notes say that every token was right; the locus is the third of them."""
    last = _losses(state)[-3:]
    for entry in last:
        entry["mean_token_accuracy"] = 1.0
    return f"step {last[-1]['step']}"


def _second_warmup(state: dict[str, Any]) -> str:
    """Half-way the learning rate falls to a fifth and climbs back, as when a schedule begins anew."""
    losses = _losses(state)
    if len(losses) < 12:
        raise NotApplicable("its log has fewer than twelve losses")
    middle = len(losses) // 2
    before = float(losses[middle - 1]["learning_rate"])
    for share, entry in zip((0.2, 0.4, 0.6, 0.8), losses[middle : middle + 4], strict=True):
        entry["learning_rate"] = share * before
    return f"step {losses[middle]['step']}"


def _truncated_log(sibling: Sibling) -> Damage:
    path = sibling.model.trainer_log
    if path is None:
        raise NotApplicable("models.toml declares no trainer log")
    write_bytes(path, path.read_bytes()[: path.stat().st_size // 2])
    return sibling.damaged(path.name)


# -- the recipe --------------------------------------------------------------------------------------------------------


def _recipe_drifted(sibling: Sibling) -> Damage:
    """One setting that was not meant to differ was copied from elsewhere."""
    path = sibling.model.recipe
    if path is None or path.suffix != ".json":
        raise NotApplicable("models.toml declares no recipe.json")
    recipe = read_json(path)
    shape = recipe.get("recipe", {}).get("shape")
    if not isinstance(shape, dict) or "hidden_size" not in shape:
        raise NotApplicable("its recipe names no hidden_size")
    shape["hidden_size"] += 1
    write_json(path, recipe)
    return sibling.damaged("recipe.shape.hidden_size")


def _of_log(name: str, story: str, failures: tuple[str, ...], code: str, change: Callable[[Any], str]) -> Kind:
    return Kind(name, "log", story, failures, (Expected(code),), partial(_log, change))


LOGS = (
    _of_log("loss_zero", "the training loss is 0.0 at the end", ("F12",), "training.zero_loss", _zero),
    _of_log("loss_nan", "a gradient was infinite, and the trainer hid the loss", ("F62",), "training.nan",
            _not_a_number),
    _of_log("loss_rising", "the evaluation loss rises three times running", ("F19",), "training.diverged", _rising),
    _of_log("overfit", "the evaluation loss rises while the training loss falls", ("F20",), "training.overfit",
            _overfit),
    _of_log("overtrained", "the best step lies far before the shipped one", ("F20",), "training.not_best",
            _overtrained),
    _of_log("log_gap", "a piece of the log is missing", ("F62",), "training.gap", _gap),
    _of_log("resumed", "the run was resumed without its optimiser's state", ("F62",), "training.resumed", _resumed),
    _of_log("loss_chance", "the loss ends at that of a uniform guess", ("F63",), "training.chance", _chance),
    _of_log("loss_flat", "the loss stays at ln 2", ("F76",), "training.flat", _flat),
    _of_log("too_many_passes", "the rows were fed ten times as often as meant", ("F20",), "training.coverage",
            _too_long),
    Kind("log_truncated", "log", "the log is cut short", ("F62",), (Expected("training.log"),), _truncated_log),
    _of_log("all_tokens_right", "every token is predicted rightly at the end", ("F12",), "training.full_accuracy",
            _all_right),
    _of_log("second_warmup", "the schedule began anew half-way", ("F62",), "training.reset", _second_warmup),
    Kind("recipe_drifted", "log", "a setting differs from the parent's recipe, and nobody meant it to", ("F03",),
         (Expected("training.recipe"),), _recipe_drifted),
)  # fmt: skip
