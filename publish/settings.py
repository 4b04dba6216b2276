"""What a maintainer writes for a card: cards/MODEL.md, YAML front matter for the Hub and the policy, prose in sections.

    ---
    license: apache-2.0
    language: [en, de]
    ---
    ## What it is
    A chat model of {{ scale.parameters | count }} parameters ...

Prose states no number of its own: it names a value of the report, in one of the formats of `numbers.FORMS`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from modelqa.errors import UsageError
from modelqa.models import nearest

from . import licences
from .numbers import literals, mark

MAX_BYTES = 1 << 20  # of a card's or postmortem's source
SECTIONS = ("What it is", "Intended use", "Not for", "Training", "Limitations")
RELATIONS = ("finetune", "adapter", "merge", "quantized")
_TEXTS = ("license", "license_name", "license_link", "library_name", "pipeline_tag", "base_model_relation")
_TEXT_LISTS = ("language", "tags", "datasets", "base_model", "postmortems", "full_text")
_TABLES = ("policy", "cost")
_KEYS = (*_TEXTS, *_TEXT_LISTS, *_TABLES, "runs", "transcripts", "eval_results")
_RUN_KEYS = ("run", "recipe", "steps", "learning_rate", "validation", "score", "state")
_FRONT = re.compile(r"\A---\n(?P<front>.*?)\n---\n(?P<body>.*)\Z", re.DOTALL)
_REFERENCE = re.compile(r"\{\{\s*([\w.-]+)\s*(?:\|\s*(\w+)\s*)?\}\}")
_PLACEHOLDER = re.compile(r"more information needed|\bTODO\b|\bTBD\b|\bFIXME\b|lorem ipsum", re.IGNORECASE)


@dataclass(frozen=True)
class CardSettings:
    """The front matter and prose of one model's card.

    license       of the Hub's list; `other` comes with license_name and license_link (a file of the release, or a URL)
    base_model    Hub ids; base_model_relation: finetune, adapter, merge or quantized
    postmortems   ids of files in cards/postmortems that ship with the model
    runs          training runs besides the chain that models.toml knows, killed ones too
    transcripts   how many transcripts of each reply gate are shown; full_text: gates whose cases ship whole
    eval_results  results for leaderboards of the Hub: see `eval_results`
    policy        the publishing policy: primary metrics and margins
    cost          what training cost: {amount, currency, note}
    prose         {section: Markdown, with marks where the source names a value of the report}
    words         the same as it was written; `read_words` makes the prose of it
    """

    license: str
    license_name: str = ""
    license_link: str = ""
    library_name: str = "transformers"
    pipeline_tag: str = "text-generation"
    language: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    base_model: tuple[str, ...] = ()
    base_model_relation: str = ""
    postmortems: tuple[str, ...] = ()
    full_text: tuple[str, ...] = ()
    transcripts: int = 1
    runs: tuple[Mapping[str, Any], ...] = ()
    eval_results: tuple[Mapping[str, Any], ...] = ()
    policy: Mapping[str, Any] = field(default_factory=dict)
    cost: Mapping[str, Any] = field(default_factory=dict)
    prose: Mapping[str, str] = field(default_factory=dict)
    words: str = ""


def read_settings(path: Path) -> CardSettings:
    """The settings in a card's source; `UsageError` names the key, value or section that cannot be used."""
    front, body = front_matter(path)
    for key in front:
        _one_of(path, "key", key, _KEYS)
    values: dict[str, Any] = {key: _text(path, key, front[key]) for key in _TEXTS if key in front}
    values |= {key: _texts(path, key, front[key]) for key in _TEXT_LISTS if key in front}
    values |= {key: _table(path, key, front[key]) for key in _TABLES if key in front}
    values["runs"] = _runs(path, front.get("runs", []))
    values["eval_results"] = _tables(path, "eval_results", front.get("eval_results", []))
    values["transcripts"] = _whole(path, "transcripts", front.get("transcripts", 1))
    values["words"] = f"{body.strip()}\n" if body.strip() else ""
    values["prose"] = read_words(path, body)
    _check_licence(path, values)
    _check_base(path, values)
    return CardSettings(**values)


def front_matter(path: Path) -> tuple[dict[str, Any], str]:
    """(the YAML front matter, the Markdown after it) of a file; `UsageError` when there is none that can be read."""
    import yaml

    try:
        if path.stat().st_size > MAX_BYTES:
            _refuse(path, "is larger than 1 MiB", "a card's source is words", "take the data out of it")
        text = path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    except FileNotFoundError:
        _refuse(path, "is missing", "it holds the licence and the words of the card", f"write {path}")
    except (OSError, UnicodeDecodeError) as error:
        _refuse(path, f"cannot be read: {error}", "it must be text in UTF-8", "mend the file")
    found = _FRONT.match(text)
    if not found:
        _refuse(path, "has no front matter", "its first line must be ---, and --- must end the YAML block", "add it")
    try:
        front = yaml.load(found["front"], Loader=_plain_loader())
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        first = str(error).splitlines()[0]
        _refuse(path, f"has front matter that is no YAML: {first}", "the Hub reads it as YAML", "mend it")
    if not isinstance(front, dict) or not all(isinstance(key, str) for key in front):
        _refuse(path, "has front matter that is no mapping", "it must hold KEY: VALUE lines", "mend it")
    return front, found["body"]


def _plain_loader() -> Any:
    """A safe YAML loader that refuses aliases (a few lines of them can fill the memory) and keys that stand twice."""
    import yaml

    class Plain(yaml.SafeLoader):  # type: ignore[misc]  # yaml ships no types
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise ValueError("aliases (*name) are not read")
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            keys = [self.construct_object(key) for key, _ in node.value]
            if twice := [key for key in keys if keys.count(key) > 1]:
                raise ValueError(f"{twice[0]!r} stands twice")
            return super().construct_mapping(node, deep=deep)

    return Plain


def sections(path: Path, body: str, known: Iterable[str] | None = None) -> dict[str, str]:
    """{heading: text} of the level-2 sections of Markdown; `UsageError` for a section that is unknown, double or empty.

    Lines inside a code fence are no headings.
    """
    found: dict[str, list[str]] = {}
    current, fence = "", ""
    for line in body.splitlines():
        opening = re.match(r"\s{0,3}(`{3,}|~{3,})", line)
        if opening and (not fence or line.strip().startswith(fence)):
            fence = "" if fence else opening[1]
        if not fence and line.startswith("## "):
            current = line[3:].strip()
            if known is not None:
                _one_of(path, "section", current, known)
            if current in found:
                _refuse(path, f"has two sections {current!r}", "a reader would see one of them", "join them")
            found[current] = []
        elif current:
            found[current].append(line)
        elif line.strip() and not line.startswith("# "):
            _refuse(path, f"has text before its first section: {line.strip()[:60]!r}",
                    "every text belongs under a heading", "put it under a heading '## ...'")  # fmt: skip
    texts = {heading: "\n".join(lines).strip() for heading, lines in found.items()}
    if empty := [heading for heading, text in texts.items() if not text]:
        _refuse(
            path, f"has an empty section {empty[0]!r}", "a heading without text is a placeholder", "fill or drop it"
        )
    return texts


def read_words(path: Path, body: str) -> dict[str, str]:
    """{section: Markdown, with marks} of what a person wrote in `path`; `UsageError` for a number or a placeholder."""
    texts = sections(path, body, SECTIONS)
    for heading, text in texts.items():
        if found := _PLACEHOLDER.search(text):
            _refuse(path, f"says {found[0]!r} under {heading!r}", "a card holds no placeholder", "write it, or drop it")
        texts[heading] = _REFERENCE.sub(lambda match: mark(match[1], match[2] or "text"), text)
        if stated := literals(texts[heading]):
            _refuse(
                path,
                f"states the number {stated[0]} under {heading!r}",
                "a number that no record holds cannot be verified",
                "name the value of the report instead, e.g. {{ scale.parameters | count }}, or say it without a number",
            )
    return texts


def _check_licence(path: Path, values: Mapping[str, Any]) -> None:
    licence = values.get("license", "")
    if licence not in licences.known():
        _refuse(
            path,
            f"has the licence {licence!r}" if licence else "names no licence",
            "the Hub takes one of its own list of identifiers",
            nearest(licence, licences.known()) or "license: other, with license_name and license_link",
        )
    if licence == "other" and not (values.get("license_name") and values.get("license_link")):
        _refuse(path, "has the licence 'other' without its name and file", "nobody could read what is allowed",
                "add license_name: NAME and license_link: LICENSE")  # fmt: skip


def _check_base(path: Path, values: Mapping[str, Any]) -> None:
    if relation := values.get("base_model_relation"):
        _one_of(path, "base_model_relation", relation, RELATIONS)
    if bool(values.get("base_model")) != bool(values.get("base_model_relation")):
        _refuse(path, "gives one of base_model and base_model_relation", "the Hub draws the model tree from both",
                f"give both; the relation is one of {', '.join(RELATIONS)}")  # fmt: skip


def _runs(path: Path, value: Any) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(value, list) or not all(isinstance(run, dict) and run.get("run") for run in value):
        _refuse(path, "has runs that are no list of runs", "each run is a mapping with its name as run", "mend it")
    for run in value:
        for key in run:
            _one_of(path, "key of a run", str(key), _RUN_KEYS)
    return tuple(value)


def _refuse(path: Path, fact: str, reason: str, remedy: str) -> NoReturn:
    raise UsageError(f"{path} {fact}", reason=reason, remedy=remedy)


def _one_of(path: Path, what: str, name: str, known: Iterable[str]) -> None:
    names = list(known)
    if name not in names:
        _refuse(
            path, f"has the unknown {what} {name!r}", f"known are {', '.join(names)}", nearest(name, names) or "drop it"
        )


def _text(path: Path, key: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or "\n" in value:
        _refuse(path, f"has a {key} that is no line of text", "the Hub reads it as text", "write it in quotes")
    return value


def _texts(path: Path, key: str, value: Any) -> tuple[str, ...]:
    entries = [value] if isinstance(value, str) else value
    if not isinstance(entries, list):
        _refuse(path, f"has a {key} that is no list", "it holds a list of texts", f"write {key}: [TEXT, ...]")
    return tuple(_text(path, key, entry) for entry in entries)


def _table(path: Path, key: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        _refuse(path, f"has a {key} that is no mapping", "it holds KEY: VALUE lines", "mend it")
    return dict(value)


def _tables(path: Path, key: str, value: Any) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(value, list):
        _refuse(path, f"has {key} that are no list", "it is a list of KEY: VALUE lines", "mend it")
    return tuple(_table(path, key, entry) for entry in value)


def _whole(path: Path, key: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 20:
        _refuse(path, f"has {key}: {value!r}", "it is a whole number up to 20", "correct it")
    return value
