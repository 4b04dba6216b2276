"""Lint of a card's text, rendered by us or written by hand: what the Hub, a lawyer or a reader would stumble over.

Pure: a text and what is known of the folder go in, problems come out; each code names one fault.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelqa.checkpoint import Checkpoint
from modelqa.errors import UsageError
from modelqa.record import Problem
from modelqa.scaling import parameters

from . import licences
from .release_files import README
from .secrets import secret_problems

# the Hub's own rule for where a card's metadata stand
_BLOCK = re.compile(r"\A(\s*---(?:\r\n|\r|\n))([\S\s]*?)((?:\r\n|\r|\n)---[ \t]*(\r\n|\n|\Z))")
_PLACEHOLDER = re.compile(r"more information needed", re.IGNORECASE)
_PARAMETERS = re.compile(
    r"(?<![\w.,])(\d[\d,]*(?:\.\d+)?)[\s-]?(thousand|million|billion|trillion|[KMBT](?![a-z]))?"
    r"[\s-]*(?:trainable )?param(?:eter)?s?\b",
    re.IGNORECASE,
)
_UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}  # by the first letter
UNSAFE = (
    ".bin",
    ".pt",
    ".pth",
    ".pkl",
    ".pickle",
    ".ckpt",
    ".joblib",
    ".npy",
    ".h5",
    ".msgpack",
)  # may run code, or load as pickles
LICENCE_FILES = ("LICENSE", "LICENSE.md", "LICENSE.txt")
MOST_OF_A_LICENCE = 1 << 16  # bytes; its name stands in its first lines
MAX_CARD_BYTES = 16 << 20  # of a card that is checked


@dataclass(frozen=True)
class Facts:
    """What is known of the folder that a card describes.

    parameters  counted from the tensors; None when there are none
    licence     text of its LICENSE file, "" without one
    files       paths of all its files
    role        canonical or experimental: of the repository that the card is for; "" when it is not known
    parent      Hub id of the model it was trained from, "" when it has none there
    """

    parameters: int | None = None
    licence: str = ""
    files: tuple[str, ...] = ()
    role: str = ""
    parent: str = ""


def lint(text: str, facts: Facts) -> list[Problem]:
    """Everything that is wrong with a card, metadata first."""
    found = [*_metadata_problems(text, facts), *_placeholders(text), *_parameters(text, facts), *_unsafe(facts.files)]
    return [*found, *secret_problems("README.md", text.encode("utf-8", "surrogatepass"))]


def facts_of(checkpoint: Checkpoint, *, role: str = "", parent: str = "") -> Facts:
    """What a checkpoint's folder tells a lint: parameters, licence text, names of all its files."""
    texts = (checkpoint.path / name for name in LICENCE_FILES)
    licence = next((_beginning(path) for path in texts if path.is_file()), "")
    files = tuple(sorted(path.relative_to(checkpoint.path).as_posix() for path in checkpoint.path.rglob("*")))
    return Facts(parameters(checkpoint), licence, files, role, parent)


def _beginning(path: Path) -> str:
    """As much of a text as tells a licence; a file of any size is read no further."""
    with path.open("rb") as stream:
        return stream.read(MOST_OF_A_LICENCE).decode("utf-8", "replace")


def readme_of(folder: Path) -> str:
    """The card in a folder; `UsageError` when there is none that can be read."""
    path = folder / README
    try:
        if path.stat().st_size > MAX_CARD_BYTES:
            raise ValueError(f"it has more than {MAX_CARD_BYTES} bytes")
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path} cannot be read: {error}", reason="it is the card to check", remedy="put the card there, in UTF-8"
        ) from None


def metadata_of(text: str) -> dict[str, Any] | None:
    """The YAML metadata of a card as the Hub reads them; None when it would see none."""
    import yaml

    found = _BLOCK.match(text)
    if not found:
        return None
    try:
        value = yaml.safe_load(found[2])
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _metadata_problems(text: str, facts: Facts) -> Iterator[Problem]:
    metadata = metadata_of(text)
    if metadata is None:
        yield Problem(
            "card.no_metadata", "line 1", "no YAML block between --- lines that can be read: the Hub sees none"
        )
        return
    yield from _licence(metadata, facts)
    if facts.parent and not metadata.get("base_model"):
        yield Problem("card.base_model", "base_model", f"trained from {facts.parent}, which the metadata do not say")
    if "model-index" in metadata:
        yield from _model_index(metadata["model-index"])
    yield from _role(text, metadata, facts.role)


def _licence(metadata: Mapping[str, Any], facts: Facts) -> Iterator[Problem]:
    licence = metadata.get("license")
    named = licence if isinstance(licence, str) else ""
    if named not in licences.known():
        text = f"the licence {licence!r} is not of the Hub's list" if licence else "no licence is named"
        yield Problem("card.licence", "license", text)
    if named == "other" and not (metadata.get("license_name") and metadata.get("license_link")):
        yield Problem("card.licence", "license_name", "'other' needs license_name and license_link")
        return
    of_file = licences.licence_of(facts.licence)
    if of_file and named in licences.known() and named != of_file:
        yield Problem("card.licence_differs", "LICENSE", f"the card says {named}, the LICENSE file is {of_file}")


def _model_index(index: Any) -> Iterator[Problem]:
    """The form that the Hub documents: task, dataset and metrics, each with its type; every value a finite number."""
    try:
        for model in index:
            _ = model["name"]
            for result in model["results"]:
                _ = result["task"]["type"], result["dataset"]["type"], result["dataset"]["name"]
                for metric in result["metrics"]:
                    _ = metric["type"]
                    if not math.isfinite(float(str(metric["value"]).split("±")[0])):
                        raise ValueError(f"the value {metric['value']!r}")
    except (KeyError, TypeError, ValueError) as error:
        yield Problem("card.model_index", "model-index", f"not of the documented form: {error}")


def _role(text: str, metadata: Mapping[str, Any], role: str) -> Iterator[Problem]:
    """A card says at its top which repository it is for: an experiment beside a canonical model confuses everybody."""
    own = metadata.get("modelqa")
    stated = own.get("role") if isinstance(own, dict) else None
    block = _BLOCK.match(text)
    top = text[block.end() if block else 0 :][:1500].lower()
    if role == "experimental" and (stated != role or "experimental" not in top):
        yield Problem("card.role", "top", "for an experimental repository, and neither metadata nor first lines say so")
    if role == "canonical" and stated != role:
        yield Problem("card.role", "modelqa.role", f"for the canonical repository, and the metadata say {stated!r}")


def _placeholders(text: str) -> Iterator[Problem]:
    if found := _PLACEHOLDER.search(text):
        yield Problem("card.placeholder", f"byte {len(text[: found.start()].encode())}", f"{found[0]!r} says nothing")


def _parameters(text: str, facts: Facts) -> Iterator[Problem]:
    """Counts of parameters in the text, compared with the tensors to the precision that they print."""
    if facts.parameters is None:
        return
    for found in _PARAMETERS.finditer(text):
        number, unit = found[1].replace(",", ""), _UNITS[(found[2] or "")[:1].lower()]
        half = 0.5 * 10.0 ** -len(number.partition(".")[2]) * unit
        if abs(float(number) * unit - facts.parameters) > half * (1 + 1e-9):
            wrong = f"says {found[0]!r}; the tensors hold {facts.parameters:,}"
            yield Problem("card.parameters", found[0], wrong)


def _unsafe(files: Collection[str]) -> Iterator[Problem]:
    for file in sorted(files):
        name = file.rpartition("/")[2]
        if name.endswith(UNSAFE):
            yield Problem(
                "card.pickle", file, "loading it may run code: ship safetensors, and move this out of the folder"
            )
        elif name.startswith(".env"):
            yield Problem("card.secret", file, "a file of secrets lies in the folder: move it out")
