"""Opening a checkpoint: a folder or Hub id -> a frozen value with its files by hash and its tensors by header."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from modelqa.checkpoint import folder
from modelqa.checkpoint.header import TensorInfo, read_header
from modelqa.errors import CheckpointError
from modelqa.files import canonical_json, sha256_file, sha256_text

_CONFIGS = ("config.json", "generation_config.json")
_ATTENTION_KEYS = ("attn_implementation", "_attn_implementation", "_attn_implementation_internal")


@dataclass(frozen=True)
class Checkpoint:
    """What is in a checkpoint's folder, read without torch; nothing was executed and nothing is ever written there.

    path               the resolved folder
    config             config.json, as it stands
    generation_config  generation_config.json, {} when there is none
    tensors            {name: TensorInfo} from the headers of all shards
    files              names of the files that decide what the model does, sorted: weights, configs, tokenizer, template
    trust_remote_code  whether Python files of the folder may run; False unless asked for by name
    """

    path: Path
    config: Mapping[str, Any]
    generation_config: Mapping[str, Any]
    tensors: Mapping[str, TensorInfo] = field(repr=False)
    files: tuple[str, ...]
    trust_remote_code: bool = False

    @cached_property
    def fingerprint(self) -> dict[str, str]:
        """{file: sha256} of every file in `files`; hashed when first asked, about 1 s for each GB.

        README, trainer logs and other files that do not change a reply are left out.
        """
        return {name: sha256_file(self.path / name) for name in self.files}

    @property
    def digest(self) -> str:
        """Hex sha256 over the fingerprint: one changed byte of any file changes it, another path does not."""
        return fingerprint_digest(self.fingerprint)

    @property
    def weights(self) -> dict[str, str]:
        """{file: sha256} of the files that hold tensors."""
        return {name: self.fingerprint[name] for name in sorted({tensor.file for tensor in self.tensors.values()})}

    @property
    def weights_digest(self) -> str:
        """Hex sha256 over the hashes of the weights files and their index alone."""
        weights = {tensor.file for tensor in self.tensors.values()} | {folder.INDEX}
        return fingerprint_digest({name: value for name, value in self.fingerprint.items() if name in weights})

    @property
    def tokenizer_digest(self) -> str:
        """Hex sha256 over the hashes of the tokenizer files, the chat template not among them."""
        names = set(folder.matching(self.path, folder.TOKENIZER_PATTERNS))
        return fingerprint_digest({name: value for name, value in self.fingerprint.items() if name in names})

    @property
    def text_config(self) -> Mapping[str, Any]:
        """The config of the language model: `text_config` when there is one (multimodal models), else all of it."""
        nested = self.config.get("text_config")
        return nested if isinstance(nested, dict) else self.config

    def tied(self, first: str, second: str) -> bool:
        """Whether two tensors are one in the file: equal values, or only one of the two is stored.

        `CheckpointError` when neither is there. Whether the config agrees is `tie_problems`' question.
        """
        from modelqa.checkpoint.ties import tied

        return tied(self, first, second)


def fingerprint_digest(fingerprint: Mapping[str, str]) -> str:
    """Hex sha256 over {file: sha256}: what a checkpoint is known by."""
    return sha256_text(canonical_json(dict(fingerprint)))


def open_checkpoint(path: Path | str, *, trust_remote_code: bool = False, revision: str | None = None) -> Checkpoint:
    """The checkpoint in a folder, or of a Hub id ("org/name", "org/name@revision"; from the local cache).

    `CheckpointError` names what is missing, damaged or refused: no config or weights, a malformed safetensors file,
    pickles, adapters, links out of the folder, or code that the checkpoint wants to run (`trust_remote_code`).
    """
    root = _locate(path, revision).resolve()
    config = folder.read_json(root, "config.json")
    _refuse_adapter(root)
    _refuse_code(root, config, trust_remote_code)
    weights = folder.weight_files(root)
    generation = folder.read_json(root, _CONFIGS[1]) if (root / _CONFIGS[1]).exists() else {}
    patterns: tuple[str, ...] = (*_CONFIGS, *folder.TOKENIZER_PATTERNS, *folder.TEMPLATE_PATTERNS)
    patterns += folder.CODE_PATTERNS if trust_remote_code else ()
    files = tuple(sorted({*weights, *folder.matching(root, patterns)}))
    return Checkpoint(root, config, generation, _headers(root, weights), files, trust_remote_code)


def _locate(path: Path | str, revision: str | None) -> Path:
    root = Path(path)
    if root.is_dir():
        return root
    if root.exists():
        raise CheckpointError(
            f"{path} is a file",
            reason="a checkpoint is a folder with config.json and safetensors files",
            remedy="name the folder that holds it",
        )
    from modelqa.checkpoint.hub import fetch, is_hub_id

    name, _, named = str(path).partition("@")
    if is_hub_id(name):
        return fetch(name, revision or named or None)
    raise CheckpointError(
        f"there is no folder {path}",
        reason="a checkpoint is a folder, or a Hub id like org/name",
        remedy="check the path",
    )


def _refuse_adapter(root: Path) -> None:
    if (root / "adapter_config.json").exists():
        raise CheckpointError(
            f"{root} holds an adapter (adapter_config.json)",
            reason="its behaviour depends on a base model outside the folder, so no hash could name what was judged",
            remedy="merge it first (peft: merge_and_unload(), then save_pretrained) and judge the merged folder",
        )


def _refuse_code(root: Path, config: Mapping[str, Any], trusted: bool) -> None:
    if "transformers_weights" in config:
        raise CheckpointError(
            f"{root / 'config.json'} names its own weights file (transformers_weights)",
            reason="the weights that are judged must be the ones that every loader takes",
            remedy=f"remove the key and name the file {folder.WEIGHTS}",
        )
    for name in ("config.json", "tokenizer_config.json"):
        loaded = config if name == "config.json" else _optional_json(root, name)
        wanted = _code_wanted(loaded)
        if wanted and not trusted:
            raise CheckpointError(
                f"{root / name} asks to run code ({wanted})",
                reason="code of a checkpoint can do anything that you can, so it stays off unless asked for by name",
                remedy="read the code, then pass trust_remote_code=True; or remove the key if it is not needed",
            )


def _optional_json(root: Path, name: str) -> dict[str, Any]:
    limit = folder.MAX_TOKENIZER_BYTES
    return folder.read_json(root, name, limit=limit) if (root / name).exists() else {}


def _code_wanted(config: Mapping[str, Any]) -> str:
    """The key that would make a loader import code: `auto_map`, or an attention kernel named like a repository."""
    parts = [config, *(part for part in config.values() if isinstance(part, dict))]
    for part in parts:
        if part.get("auto_map"):
            return "auto_map"
        for key in _ATTENTION_KEYS:
            if "/" in str(part.get(key, "")):
                return key
    return ""


def _headers(root: Path, weights: tuple[str, ...]) -> dict[str, TensorInfo]:
    tensors: dict[str, TensorInfo] = {}
    for file in weights:
        if file == folder.INDEX:
            continue
        for name, tensor in read_header(root / file, file).items():
            if name in tensors:
                raise CheckpointError(
                    f"{root}: {name!r} stands in {tensors[name].file} and in {file}",
                    reason="a loader would silently take one of the two",
                    remedy="save the model again with save_pretrained",
                )
            tensors[name] = tensor
    if weights[0] == folder.INDEX:
        _check_index(root, tensors)
    return tensors


def _check_index(root: Path, tensors: Mapping[str, TensorInfo]) -> None:
    for name, file in folder.weight_map(root).items():
        if name not in tensors or tensors[name].file != file:
            raise CheckpointError(
                f"{root / folder.INDEX} puts {name!r} into {file}, which does not hold it",
                reason="index and shards are not of one model, or a shard was replaced",
                remedy="download all shards and the index again",
            )
