"""Defects of how a model is talked to: tokenizer, chat template, stop ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from modelqa.chat import Chat
from modelqa.checkpoint.folder import MAX_TOKENIZER_BYTES
from modelqa.files import read_json, write_json, write_text
from modelqa.mutants.kind import Damage, Expected, Kind, NotApplicable, Sibling

PLAIN = (
    "{%- for message in messages -%}{%- if message['role'] == 'assistant' -%}"
    "{{- 'Assistant: ' }}{%- generation -%}{{- message['content'] + STOP }}{%- endgeneration -%}{{- '\\n' }}"
    "{%- else -%}{{- message['role'] | capitalize + ': ' + message['content'] + '\\n' }}{%- endif -%}"
    "{%- endfor -%}{%- if add_generation_prompt -%}{{- 'Assistant: ' }}{%- endif -%}"
)


def folder(sibling: Sibling) -> Path:
    """The copy's folder."""
    assert sibling.model.path is not None
    return sibling.model.path


def set_json(path: Path, **values: Any) -> None:
    """Set keys of a JSON file; None removes one. A file that is not there begins empty."""
    content = {**(read_json(path) if path.is_file() else {}), **values}
    write_json(path, {key: value for key, value in content.items() if value is not None})


def rewrite_tokenizer(sibling: Sibling, change: Callable[[dict[str, Any]], None]) -> None:
    """Change tokenizer.json as parsed JSON."""
    path = folder(sibling) / "tokenizer.json"
    content = read_json(path, limit=MAX_TOKENIZER_BYTES)
    change(content)
    write_json(path, content)


def write_template(sibling: Sibling, text: str) -> None:
    """Put `text` where this checkpoint keeps its template."""
    root = folder(sibling)
    if (root / "chat_template.jinja").is_file() or "chat_template" not in read_json(root / "tokenizer_config.json"):
        write_text(root / "chat_template.jinja", text)
    else:
        set_json(root / "tokenizer_config.json", chat_template=text)


# -- tokenizer ---------------------------------------------------------------------------------------------------------


def vocabulary(sibling: Sibling) -> dict[str, int]:
    """{token as tokenizer.json writes it: id}."""
    found = read_json(folder(sibling) / "tokenizer.json", limit=MAX_TOKENIZER_BYTES)["model"]["vocab"]
    if not isinstance(found, dict):
        raise NotApplicable("its vocabulary has scores instead of ids")
    return found


def exchange(content: dict[str, Any], swapped: Mapping[int, int]) -> None:
    """Give tokens of a parsed tokenizer.json other ids: {old id: new id}."""
    vocabulary = content["model"]["vocab"]
    if not isinstance(vocabulary, dict):
        raise NotApplicable("its vocabulary has scores instead of ids")
    content["model"]["vocab"] = {token: swapped.get(number, number) for token, number in vocabulary.items()}
    for token in content.get("added_tokens") or []:
        token["id"] = swapped.get(token["id"], token["id"])
    content["added_tokens"] = sorted(content.get("added_tokens") or [], key=lambda token: token["id"])


def turn_tokens(chat: Chat) -> tuple[int, int]:
    """(id that opens a turn, id that ends it) in the model's own template; `NotApplicable` without the two."""
    asked = chat.render([{"role": "user", "content": "a"}]).ids
    special = set(chat.special_tokens.values())
    opening = next((number for number in asked if number in special and number not in chat.stop_ids), None)
    if opening is None or chat.turn_end_id is None:
        raise NotApplicable("its template opens or ends a turn without a token of its own")
    return opening, chat.turn_end_id


def _stop_and_opening_swapped(sibling: Sibling) -> Damage:
    opening, end = turn_tokens(sibling.chat)
    rewrite_tokenizer(sibling, lambda content: exchange(content, {opening: end, end: opening}))
    return sibling.damaged("eos_token")


def _shifted_special(sibling: Sibling) -> Damage:
    """All special ids move on by one, round and round, and the configs follow: everything agrees but the weights."""
    ids = sorted(sibling.chat.special_tokens.values())
    if len(ids) < 2:
        raise NotApplicable("it has fewer than two special tokens")
    shifted = dict(zip(ids, [*ids[1:], ids[0]], strict=True))
    rewrite_tokenizer(sibling, lambda content: exchange(content, shifted))
    for name in ("config.json", "generation_config.json"):
        path = folder(sibling) / name
        if path.is_file():
            content = read_json(path)
            moved = {f"{role}_token_id": _moved(content[f"{role}_token_id"], shifted)
                     for role in ("bos", "eos", "pad") if content.get(f"{role}_token_id") is not None}  # fmt: skip
            set_json(path, **moved)
    return sibling.damaged(min(sibling.chat.special_tokens))


def _moved(value: Any, shifted: Mapping[int, int]) -> Any:
    return [shifted.get(each, each) for each in value] if isinstance(value, list) else shifted.get(value, value)


def _swapped_tokens(sibling: Sibling) -> Damage:
    """The ids of two frequent tokens change places: the two that stand oftenest in a common sentence."""
    ids = sibling.chat.tokens.encode("What is the capital of the country? Say it exactly as it is.").ids
    common = sorted(set(ids), key=lambda number: (-ids.count(number), number))[:2]
    if len(common) < 2:
        raise NotApplicable("its tokenizer makes one token of a sentence")
    first, second = common
    names = [token for token, number in vocabulary(sibling).items() if number in common]
    rewrite_tokenizer(sibling, lambda content: exchange(content, {first: second, second: first}))
    return sibling.damaged(min(names))


def _added_token_missing(sibling: Sibling) -> Damage:
    opening, _ = turn_tokens(sibling.chat)

    def change(content: dict[str, Any]) -> None:
        content["added_tokens"] = [token for token in content["added_tokens"] if token["id"] != opening]

    rewrite_tokenizer(sibling, change)
    return sibling.damaged("")


def _duplicate_id(sibling: Sibling) -> Damage:
    opening, end = turn_tokens(sibling.chat)
    rewrite_tokenizer(sibling, lambda content: exchange(content, {opening: end}))
    return sibling.damaged(str(end))


def _lowercasing(sibling: Sibling) -> Damage:
    rewrite_tokenizer(sibling, lambda content: content.update(normalizer={"type": "Lowercase"}))
    return sibling.damaged("")


def _bos_doubled(sibling: Sibling) -> Damage:
    asked = sibling.chat.render([{"role": "user", "content": "a"}]).ids
    if sibling.chat.bos_id is None or asked[0] != sibling.chat.bos_id:
        raise NotApplicable("its template begins with no beginning-of-sequence token")
    bos = sibling.chat.tokens.declared["bos_token"]
    write_template(sibling, "{{- '" + bos + "' -}}" + sibling.chat.template)
    return sibling.damaged("")


# -- template ----------------------------------------------------------------------------------------------------------


def _other_format(sibling: Sibling) -> Damage:
    stop = sibling.chat.turn_end
    if not stop:
        raise NotApplicable("its template ends an answer with no token")
    write_template(sibling, PLAIN.replace("STOP", repr(stop)))
    return sibling.damaged("")


def _prompt_lost(sibling: Sibling) -> Damage:
    write_template(sibling, "{%- set add_generation_prompt = false -%}" + sibling.chat.template)
    return sibling.damaged("")


def _system_dropped(sibling: Sibling) -> Damage:
    if not sibling.model.system:
        raise NotApplicable("models.toml declares no system message")
    head = "{%- set messages = messages | rejectattr('role', 'equalto', 'system') | list -%}"
    write_template(sibling, head + sibling.chat.template)
    return sibling.damaged("")


def _trailing_space(sibling: Sibling) -> Damage:
    write_template(sibling, sibling.chat.template + "{%- if add_generation_prompt -%}{{- ' ' -}}{%- endif -%}")
    return sibling.damaged("")


def _stop_unwritten(sibling: Sibling) -> Damage:
    stop = sibling.chat.turn_end
    template = sibling.chat.template
    if not stop or stop not in template:
        raise NotApplicable("its template does not spell the token that ends an answer")
    write_template(sibling, template.replace(stop, ""))
    return sibling.damaged("chat template")


# -- stop ids ----------------------------------------------------------------------------------------------------------

CONFIGS = ("config.json", "generation_config.json")


def _lost_stop(sibling: Sibling) -> Damage:
    for name in CONFIGS:
        set_json(folder(sibling) / name, eos_token_id=None)
    set_json(folder(sibling) / "tokenizer_config.json", eos_token=None)
    return sibling.damaged("generation_config.json")


def _other_special(sibling: Sibling) -> int:
    others = sorted(set(sibling.chat.special_tokens.values()) - set(sibling.chat.stop_ids))
    if not others:
        raise NotApplicable("it has no special token but its stop tokens")
    return others[0]


def _wrong_stop(sibling: Sibling) -> Damage:
    set_json(folder(sibling) / "generation_config.json", eos_token_id=_other_special(sibling))
    return sibling.damaged("eos_token")


def _replies_cut(sibling: Sibling) -> Damage:
    set_json(folder(sibling) / "generation_config.json", max_new_tokens=1)
    return sibling.damaged("max_new_tokens")


def _wrong_stop_everywhere(sibling: Sibling) -> Damage:
    """Every file agrees on a stop token that is not the one that the template writes."""
    other = _other_special(sibling)
    for name in CONFIGS:
        set_json(folder(sibling) / name, eos_token_id=other)
    set_json(folder(sibling) / "tokenizer_config.json", eos_token=sibling.chat.decode([other]))
    return sibling.damaged(f"token {sibling.chat.turn_end_id}")


_IDS_MOVED = (Expected("weights.id_map"),)
_RENDER = Expected("parity.render", "episode")
_FIT = Expected("parity.template", "format")
_IDS = (Expected("weights.special_ids"),)
_STOPS = (Expected("harness.stop_ids"),)

CHAT = (
    Kind("swapped_turn_tokens", "tokenizer", "the tokens that open and end a turn changed ids, the configs did not",
         ("F54",), _IDS, _stop_and_opening_swapped),
    Kind("shifted_special", "tokenizer", "all special ids moved on by one, and every file but the weights agrees",
         ("F54",), (*_IDS_MOVED, _RENDER, _FIT), _shifted_special),
    Kind("swapped_tokens", "tokenizer", "two frequent tokens changed ids", ("F54",),
         (*_IDS_MOVED, _RENDER, _FIT), _swapped_tokens),
    Kind("added_token_missing", "tokenizer", "the token that opens a turn is no longer an added token",
         ("F01", "F47"), (_RENDER, _FIT), _added_token_missing),
    Kind("duplicate_id", "tokenizer", "two tokens have one id", ("F54",),
         (Expected("weights.vocabulary"),), _duplicate_id),
    Kind("lowercasing", "tokenizer", "the tokenizer writes everything in lower case", ("F47",), (_RENDER, _FIT),
         _lowercasing),
    Kind("bos_doubled", "template", "the beginning-of-sequence token is written twice", ("F01",),
         (Expected("parity.bos", "episode"),), _bos_doubled),
    Kind("other_format", "template", "the template is one of another family", ("F01", "F48"), (_RENDER, _FIT),
         _other_format),
    Kind("prompt_lost", "template", "the template no longer opens the answer's turn", ("F01", "F27"),
         (_RENDER, Expected("format_strict.below", "cases")), _prompt_lost),
    Kind("system_dropped", "template", "the template leaves the system message out", ("F48",), (_RENDER, _FIT),
         _system_dropped),
    Kind("trailing_space", "template", "the template ends the prompt with a space that training never saw", ("F01",),
         (_RENDER, Expected("format_strict.below", "cases")), _trailing_space),
    Kind("stop_unwritten", "template", "the template ends an answer with no token", ("F02",), _STOPS, _stop_unwritten),
    Kind("lost_stop", "config", "no file names a stop token", ("F02",), _STOPS, _lost_stop),
    Kind("wrong_stop", "config", "generation_config.json stops at another token than the tokenizer names", ("F02",),
         _IDS, _wrong_stop),
    Kind("replies_cut", "config", "generation_config.json ends every reply after one token", ("F73",),
         (Expected("weights.generation"),), _replies_cut),
    Kind("wrong_stop_everywhere", "config", "every file stops at a token that the template does not write", ("F02",),
         _STOPS, _wrong_stop_everywhere),
)  # fmt: skip
