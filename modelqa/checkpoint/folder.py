"""Which files of a folder are the checkpoint. Untrusted files are read inside the folder, bounded, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from modelqa.errors import CheckpointError
from modelqa.files import read_object

MAX_CONFIG_BYTES = 8 << 20  # config.json and its like; the largest known ones are under 1 MB
MAX_INDEX_BYTES = 64 << 20  # model.safetensors.index.json; about 100 bytes for each tensor
MAX_TOKENIZER_BYTES = 256 << 20  # tokenizer.json; those with 256k entries have about 35 MB

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
TOKENIZER_PATTERNS = (
    "tokenizer*.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "*.model",
    "*.tiktoken",
    "tekken.json",
)
TEMPLATE_PATTERNS = ("chat_template.*", "additional_chat_templates/*")
CODE_PATTERNS = ("*.py",)
_PICKLES = ("pytorch_model*.bin", "model*.bin", "model*.pt", "model*.pth", "consolidated*.pth", "*.ckpt")


def inside(root: Path, relative: str) -> Path:
    """The file `relative` of the resolved folder `root`; `CheckpointError` when it is missing or lies elsewhere.

    A link may point to another file of the folder, or, in a Hugging Face cache (models--x--y/snapshots/<rev>/file),
    into the blobs of the same repository. Only regular files are opened: a pipe or a device would never end.
    """
    path = root / relative
    target = _resolved(path)
    if not any(target.is_relative_to(home) for home in (root, *_blobs(root))):
        raise CheckpointError(
            f"{path} leads out of its folder",
            reason="a checkpoint may only use files of its own folder; a link or '..' could name any file",
            remedy="copy the file into the folder, or point modelqa at the folder that really holds it",
        )
    if not target.is_file():
        raise CheckpointError(
            f"there is no file {path}",
            reason="it belongs to the checkpoint, and is missing, is no regular file, or is a broken link",
            remedy="copy or download the checkpoint again, whole",
        )
    return path


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a name too long, a NUL in a name
        raise CheckpointError(
            f"{path!s:.200} cannot be followed: {error}",
            reason="it is a loop of links, or no possible file name",
            remedy="copy or download the checkpoint again, whole",
        ) from None


def _blobs(root: Path) -> tuple[Path, ...]:
    repository = root.parent.parent
    in_cache = root.parent.name == "snapshots" and repository.name.startswith("models--")
    return ((repository / "blobs").resolve(),) if in_cache else ()


def matching(root: Path, patterns: Sequence[str]) -> list[str]:
    """Relative names ("/" as separator), sorted, of the files of `root` that match; each is checked by `inside`."""
    found = {
        path.relative_to(root).as_posix() for pattern in patterns for path in root.glob(pattern) if not path.is_dir()
    }
    for name in found:
        inside(root, name)
    return sorted(found)


def read_json(root: Path, name: str, *, limit: int = MAX_CONFIG_BYTES) -> dict[str, Any]:
    """The JSON object in the file `name` of `root`; `CheckpointError` when it is none or has over `limit` bytes."""
    remedy = "download it again, or write it again with save_pretrained"
    return read_object(inside(root, name), limit=limit, error=CheckpointError, remedy=remedy)


def weight_files(root: Path) -> tuple[str, ...]:
    """Names of the safetensors files that hold the weights, in order, preceded by the index when there is one.

    A single model.safetensors comes first, as in transformers. Pickles are refused with the way to convert them.
    """
    if (root / WEIGHTS).exists() or (root / WEIGHTS).is_symlink():
        inside(root, WEIGHTS)
        return (WEIGHTS,)
    if (root / INDEX).exists() or (root / INDEX).is_symlink():
        shards = sorted(set(weight_map(root).values()))
        for shard in shards:
            inside(root, shard)
        return (INDEX, *shards)
    pickles = matching(root, _PICKLES)
    if pickles:
        raise CheckpointError(
            f"{root} holds its weights as a pickle ({pickles[0]})",
            reason="loading a pickle runs whatever code is in it, so modelqa opens safetensors only",
            remedy="convert it where you trust it: AutoModelForCausalLM.from_pretrained(folder, use_safetensors=False)"
            ".save_pretrained(folder)",
        )
    raise CheckpointError(
        f"there are no weights in {root}",
        reason=f"neither {WEIGHTS} nor {INDEX} is there",
        remedy="check the path, or save the model there with save_pretrained",
    )


def weight_map(root: Path) -> dict[str, str]:
    """{tensor: shard file} of the index; `CheckpointError` when it has another form."""
    mapping = read_json(root, INDEX, limit=MAX_INDEX_BYTES).get("weight_map")
    well_formed = (
        isinstance(mapping, dict)
        and mapping
        and all(isinstance(shard, str) and shard.endswith(".safetensors") for shard in mapping.values())
    )
    if not well_formed:
        raise CheckpointError(
            f"{root / INDEX} has no usable weight_map",
            reason="it must map each tensor to a .safetensors file",
            remedy="download the index again, or save the model again with save_pretrained",
        )
    return cast(dict[str, str], mapping)
