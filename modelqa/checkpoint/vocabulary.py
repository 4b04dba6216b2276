"""Do tokenizer, configs and embedding agree? tokenizer.json is read as JSON: no transformers, no tokenizers library."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from modelqa.checkpoint import folder
from modelqa.checkpoint.names import find_either
from modelqa.checkpoint.opening import Checkpoint
from modelqa.checkpoint.stacks import odd_tensor_problems
from modelqa.errors import CheckpointError
from modelqa.record import Problem

_ROLES = ("bos", "eos", "pad")
_LAYER = re.compile(r"(.*?\.?(?:layers|h|blocks|block))\.(\d+)\.")
_FALLBACK = re.compile(r"<0x[0-9A-F]{2}>")
_LAYER_COUNTS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")


def vocabulary_problems(checkpoint: Checkpoint) -> list[Problem]:
    """Problems "weights.vocabulary": an id of the tokenizer without an embedding row, one token with two ids, or two
    tokens with one id. Locus = the id. More rows than ids (padding) is fine.
    """
    pairs = entries(checkpoint)
    return [*_clashes(pairs), *_beyond(pairs, _rows(checkpoint))]


def special_id_problems(checkpoint: Checkpoint) -> list[Problem]:
    """Problems "weights.special_ids": bos, eos and pad ids of the configs that no token or embedding row has, that
    contradict the token named in tokenizer_config.json, or an eos on which config and generation_config disagree.
    """
    pairs = entries(checkpoint)
    known = {number for _, number in pairs}
    config, generation = _special_ids(checkpoint.text_config), _special_ids(checkpoint.generation_config)
    if checkpoint.text_config is not checkpoint.config:
        config = {**config, **{role: ids for role, ids in _special_ids(checkpoint.config).items() if ids}}
    found = []
    for file, ids_of in (("config.json", config), ("generation_config.json", generation)):
        found += _unknown_ids(file, ids_of, known, _rows(checkpoint))
    found += _disagreements(_named_tokens(checkpoint), dict(pairs), config, generation)
    if config["eos"] and generation["eos"] and not set(config["eos"]) & set(generation["eos"]):
        text = f"config.json says eos_token_id {config['eos']}, generation_config.json {generation['eos']}"
        found.append(Problem("weights.special_ids", "eos_token_id", text))
    return found


def shape_problems(checkpoint: Checkpoint) -> list[Problem]:
    """Problems "weights.shapes": embedding rows that are not vocab_size, and layers that the config counts and the file
    lacks (a loader fills them with random numbers, or stops). Locus = the tensor, or the first missing layer.
    And those of `odd_tensor_problems`.
    """
    declared = checkpoint.text_config.get("vocab_size", checkpoint.config.get("vocab_size"))
    found = [
        Problem(
            "weights.shapes",
            tensor.name,
            f"{tensor.name} has {tensor.shape[0]} rows, config.json says vocab_size {declared}",
        )
        for tensor in find_either(checkpoint)
        if tensor is not None and isinstance(declared, int) and tensor.shape[0] != declared
    ]
    return [*found, *_missing_layers(checkpoint), *odd_tensor_problems(checkpoint)]


def _missing_layers(checkpoint: Checkpoint) -> list[Problem]:
    count = next((checkpoint.text_config[key] for key in _LAYER_COUNTS if key in checkpoint.text_config), None)
    stacks: dict[str, set[int]] = {}
    for name in checkpoint.tensors:
        if match := _LAYER.match(name):
            stacks.setdefault(match[1], set()).add(int(match[2]))
    if not stacks or type(count) is not int or count > 10_000:  # no stack of layers that is known here
        return []
    stack, present = max(stacks.items(), key=lambda item: (len(item[1] & set(range(count))), item[0]))
    missing = sorted(set(range(count)) - present)
    first = ", ".join(map(str, missing[:8]))
    text = f"config.json says {count} layers; {len(missing)} of them are not in the file ({stack}: {first})"
    return [Problem("weights.shapes", f"{stack}.{missing[0]}", text)] if missing else []


def _rows(checkpoint: Checkpoint) -> int:
    return min(tensor.shape[0] for tensor in find_either(checkpoint) if tensor is not None)


def entries(checkpoint: Checkpoint) -> list[tuple[str, int]]:
    """(token, id) of vocabulary and added tokens; `CheckpointError` when tokenizer.json is missing or odd."""
    content = _tokenizer(checkpoint)
    try:
        return [*_vocabulary(content["model"]["vocab"]),
                *((token["content"], token["id"]) for token in content.get("added_tokens") or [])]  # fmt: skip
    except (KeyError, TypeError, IndexError, AttributeError):
        raise _another_form(checkpoint) from None


def byte_ids(checkpoint: Checkpoint) -> set[int]:
    """The ids of tokens that stand for one byte that is no ASCII character of its own: `<0xE2>` of a byte fallback, or
    a letter of the byte-level alphabet. A vocabulary holds all of them, whether its text has such bytes or not.

    `CheckpointError` as for `entries`.
    """
    content = _tokenizer(checkpoint)
    byte_level = "'ByteLevel'" in repr((content.get("pre_tokenizer"), content.get("decoder")))
    return {number for token, number in entries(checkpoint)
            if _FALLBACK.fullmatch(token) or (byte_level and len(token) == 1 and not token.isascii())}  # fmt: skip


def special_tokens(checkpoint: Checkpoint) -> set[str]:
    """The texts of the added tokens that are marked special; `CheckpointError` as for `entries`."""
    try:
        added = _tokenizer(checkpoint).get("added_tokens") or []
        return {str(token["content"]) for token in added if token.get("special")}
    except (KeyError, TypeError, AttributeError):
        raise _another_form(checkpoint) from None


def _tokenizer(checkpoint: Checkpoint) -> dict[str, Any]:
    if "tokenizer.json" not in checkpoint.files:
        raise CheckpointError(
            f"there is no tokenizer.json in {checkpoint.path}",
            reason="ids are checked against it",
            remedy="save the fast tokenizer there: AutoTokenizer.from_pretrained(...).save_pretrained(folder)",
        )
    return folder.read_json(checkpoint.path, "tokenizer.json", limit=folder.MAX_TOKENIZER_BYTES)


def _another_form(checkpoint: Checkpoint) -> CheckpointError:
    return CheckpointError(
        f"{checkpoint.path / 'tokenizer.json'} has another form than the tokenizers library writes",
        reason="model.vocab and added_tokens are read",
        remedy="save the tokenizer again with save_pretrained",
    )


def _vocabulary(vocabulary: Any) -> Iterator[tuple[str, int]]:
    if isinstance(vocabulary, dict):
        yield from ((str(token), int(number)) for token, number in vocabulary.items())
    else:  # Unigram: [[token, score], ...]
        yield from ((str(entry[0]), number) for number, entry in enumerate(vocabulary))


def _clashes(entries: list[tuple[str, int]]) -> list[Problem]:
    ids: dict[str, int] = {}
    tokens: dict[int, str] = {}
    found = []
    for token, number in entries:
        if ids.setdefault(token, number) != number:
            found.append(Problem("weights.vocabulary", str(number), f"{token!r} has the ids {ids[token]} and {number}"))
        elif tokens.setdefault(number, token) != token:
            found.append(
                Problem("weights.vocabulary", str(number), f"{tokens[number]!r} and {token!r} have one id, {number}")
            )
    return found


def _beyond(entries: list[tuple[str, int]], rows: int) -> list[Problem]:
    token, highest = max(entries, key=lambda entry: entry[1], default=("", -1))
    if highest < rows:
        return []
    beyond = sum(number >= rows for _, number in entries)
    text = f"the embedding has {rows} rows, and {beyond} tokens have a higher id (the highest: {token!r}, {highest})"
    return [Problem("weights.vocabulary", str(highest), text)]


def _special_ids(config: Mapping[str, Any]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for role in _ROLES:
        value = config.get(f"{role}_token_id")
        values = value if isinstance(value, list) else [value]
        found[role] = [number for number in values if type(number) is int]
    return found


def _unknown_ids(file: str, ids_of: Mapping[str, list[int]], known: set[int], rows: int) -> list[Problem]:
    return [
        Problem("weights.special_ids", f"{role}_token_id",
                f"{file} says {role}_token_id {number}; " + ("the tokenizer has no such token" if 0 <= number < rows
                                                             else f"the embedding has rows 0 to {rows - 1}"))
        for role, numbers in ids_of.items() for number in numbers if number not in known or not 0 <= number < rows
    ]  # fmt: skip


def _named_tokens(checkpoint: Checkpoint) -> dict[str, str]:
    """{role: token} of tokenizer_config.json, where a token is a string or an object with its content."""
    if "tokenizer_config.json" not in checkpoint.files:
        return {}
    settings = folder.read_json(checkpoint.path, "tokenizer_config.json", limit=folder.MAX_TOKENIZER_BYTES)
    named = {}
    for role in _ROLES:
        value = settings.get(f"{role}_token")
        content = value.get("content") if isinstance(value, dict) else value
        if isinstance(content, str):
            named[role] = content
    return named


def _disagreements(
    named: Mapping[str, str],
    ids: Mapping[str, int],
    config: Mapping[str, list[int]],
    generation: Mapping[str, list[int]],
) -> list[Problem]:
    found = []
    for role, token in named.items():
        expected = generation[role] or config[role]
        if token not in ids:
            text = f"tokenizer_config.json names {token!r} as {role}_token; tokenizer.json has no such token"
        elif expected and ids[token] not in expected:
            text = (
                f"tokenizer_config.json names {token!r} (id {ids[token]}) as {role}_token; the configs say {expected}"
            )
        else:
            continue
        found.append(Problem("weights.special_ids", f"{role}_token", text))
    return found
