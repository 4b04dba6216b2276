"""Evidence for the data suites: what models.toml declares of a model, made into frames that contracts are judged on.

    found = sources(model, parents, cases, chat=chat)       # paths and declarations; cheap
    results = judge(read_suite(path), found)                # reads the data, validates; seconds

The frame of a suite has the suite's name: `train` and `val` are inspection frames (see `data.frame`); `overlap` has a
row for each validation row and evaluation case; `files` has a row for each data file of the model and its ancestors.

Columns of `files`: id ("MODEL FILE"), model, rows, sha256, as_manifest (whether the model's manifest lists the file
with this hash; null without a manifest), accounted (whether all files of the model hold the rows that its manifest
kept, and no more than it read) and kept_share (kept rows over declared ones); null where a manifest counts nothing.

Columns of `overlap`: id, kind ("val" or "cases"), and COMPARISON_TIER, the number of training rows that overlap this
item, with COMPARISON_TIER_by, one of them. Comparisons are train_val, train_cases, val_cases, ancestors_val,
ancestors_cases, and selected_cases (with the questions by which the model was picked); tiers are those of
`data.overlap`. Null: the comparison leaves this item out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelqa.data import overlap
from modelqa.data.accounts import NO_ACCOUNTS, accounts, has_counts, listed
from modelqa.data.frame import RENDERED, SEED, inspection_frame, read_rows
from modelqa.data.items import Item, item_of_case, items_of_row
from modelqa.data.suite import Result, Suite, unanswered
from modelqa.errors import DataError
from modelqa.files import canonical_json, open_lines, sha256_file, sha256_text
from modelqa.gates import read_cases

if TYPE_CHECKING:
    import pandas

    from modelqa.chat import Chat
    from modelqa.gates import Case
    from modelqa.models import Model

FRAMES = ("train", "val", "overlap", "files")
FORMAT = 3  # of the frames; a change of what a column means makes stored results stale


@dataclass(frozen=True)
class Dataset:
    """The data files of one model. `manifest` is None when models.toml names none."""

    model: str
    train: tuple[Path, ...] = ()
    val: tuple[Path, ...] = ()
    manifest: Path | None = None
    selected: tuple[Path, ...] = ()

    @property
    def evidence(self) -> tuple[Path, ...]:
        """What is declared about the data files."""
        return (*filter(None, [self.manifest]), *self.selected)

    @property
    def files(self) -> tuple[Path, ...]:
        """Training files, then validation files."""
        return self.train + self.val


@dataclass(frozen=True)
class Sources:
    """What the data suites judge, as declared.

    ancestors   the parent's data, its parent's, ...
    items       the evaluation cases, once each
    parameters  values for {"$PARAMETER": name}: intended_rows, mix, categories
    missing     {evidence that is not there: the line to add}
    excused     {evidence that a model of this stage does not have: why}
    """

    own: Dataset
    ancestors: tuple[Dataset, ...] = ()
    items: tuple[Item, ...] = ()
    chat: Chat | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    excused: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """Hex sha256 of all that results depend on: file contents, cases, template, tokenizer, declarations."""
        data = [
            [each.model, [[path.name, sha256_file(path)] for path in (*each.files, *each.evidence)]]
            for each in (self.own, *self.ancestors)
        ]
        cases = [[item.id, item.prompt, item.answer, item.payload, sorted(item.disjoint)] for item in self.items]
        chat = [self.chat.template_sha256, self.chat.tokenizer_sha256] if self.chat else []
        rules = [FORMAT, RENDERED, SEED, overlap.NGRAM, overlap.COVERED, overlap.DISTINCT_WORDS]
        return sha256_text(canonical_json([data, cases, chat, rules, dict(self.parameters),
                                           dict(self.missing), dict(self.excused)]))


def sources(model: Model, parents: Sequence[Model], cases: Iterable[Case], *, chat: Chat | None = None,
            categories: Sequence[str] | None = None, context: int | None = None) -> Sources:
    """What is declared about a model's data, and what is not, with the line that would declare it.

    parents  `models.ancestors`: nearest first.  cases: of every behaviour gate; equal ids are one case
    chat     how the candidate renders rows; without it masks are not judged
    context  the most tokens that the candidate takes
    """
    where = f"under [models.{model.name}] in models.toml"
    items = list(dict.fromkeys(item_of_case(case) for case in cases))  # of one id, as many as ask different things
    parameters = {
        "intended_rows": model.intended_rows,
        "mix": dict(model.mix) or None,
        "categories": sorted(categories) if categories else None,
        "quotas": dict(model.quotas) or None,
        "context": context,
        "languages": sorted(model.languages) or None,
    }
    lines = {
        "train": (model.train, f'add train = ["data/NAME.jsonl"] {where}'),
        "val": (model.val, f'add val = ["data/NAME.jsonl"] {where}'),
        "manifest": (model.manifest, f'add manifest = "data/manifest.json" {where}'),
        "chat": (chat, "add chat_template.jinja and tokenizer.json to the checkpoint's folder"),
        "context": (context, "add max_position_embeddings to config.json"),
        "cases": (items, "run the behaviour suites in the same run: their cases are what is compared"),
        "intended_rows": (model.intended_rows, f"add intended_rows = N {where}"),
        "mix": (model.mix, f"add a table [models.{model.name}.mix] with SOURCE = SHARE to models.toml"),
        "categories": (categories, f'add categories = ["NAME"] {where}'),
        "counts": (
            model.manifest and has_counts(model.manifest),
            f'add "rows": {{"declared": N, "read": N, "kept": N, "dropped": {{}}}} to the manifest {where}',
        ),
        "ancestors": (model.declared and all(parent.train for parent in parents), _ancestor_line(model, parents)),
    }
    return Sources(
        own=Dataset(model.name, model.train, model.val, model.manifest, model.selected_on),
        ancestors=tuple(Dataset(each.name, each.train, each.val, each.manifest) for each in parents),
        items=tuple(items), chat=chat,
        parameters={name: value for name, value in parameters.items() if value is not None},
        missing={name: line for name, (there, line) in lines.items() if not there},
        excused=_excused(model),
    )


def _excused(model: Model) -> dict[str, str]:
    found = {"dialogue": "a base model is trained on plain text"} if model.stage == "base" else {}
    if not model.selected_on:
        found["selected"] = f'nothing says how it was picked: add selected_on = ["FILE.jsonl"] to [models.{model.name}]'
    if not model.languages:
        found["languages"] = f'no language is declared: add languages = ["en"] under [models.{model.name}]'
    if not model.quotas:
        found["quotas"] = f"no quota is declared: add a table [models.{model.name}.quotas] with CATEGORY = LEAST SHARE"
    return found


def _ancestor_line(model: Model, parents: Sequence[Model]) -> str:
    blank = next((parent.name for parent in parents if not parent.train), None)
    if blank is None:
        return f"add [models.{model.name}] with train, and parent = NAME when it was trained from another model"
    return f'add train = ["data/NAME.jsonl"] under [models.{blank}] in models.toml'


def judge(suite: Suite, found: Sources) -> list[Result]:
    """The results of one suite, in its order; data that is not declared gives results with the line to add."""
    from modelqa.data.contracts import validate

    absent = unanswered(suite, found.missing, found.excused)
    if len(absent) == len(suite["expectations"]):
        return list(absent.values())
    return validate(frame(suite["name"], found), suite, found.parameters, missing=found.missing,
                    excused=found.excused)


def frame(name: str, found: Sources) -> pandas.DataFrame:
    """The frame that the suite of this name is judged on."""
    if name in ("train", "val"):
        rows = list(read_rows(found.own.train if name == "train" else found.own.val))
        return inspection_frame(rows, chat=found.chat)
    frames = {"overlap": overlap_frame, "files": files_frame}
    if name not in frames:
        raise DataError(f"there is no data for a suite named {name!r}", reason=f"suites are named {', '.join(FRAMES)}",
                        remedy="write the expectation into one of these suites")
    return frames[name](found)


def reports(found: Sources) -> dict[str, overlap.Report]:
    """What training ("train"), validation ("val"), selection and ancestors' training rows hold of the items.

    Training rows are compared with validation rows and cases in one pass, validation rows with cases.
    """
    val = list(_items(found.own.model, found.own.val))
    sides: dict[str, tuple[Iterable[Item], Sequence[Item]]] = {}
    if found.own.train:
        sides["train"] = (_items(found.own.model, found.own.train), [*val, *found.items])
    if found.own.val:
        sides["val"] = (val, found.items)
    if found.own.selected:
        picked = (item_of_case(case) for path in found.own.selected for case in read_cases(path))
        sides["selected"] = (picked, found.items)
    if "ancestors" not in found.missing:
        sides["ancestors"] = (_ancestor_items(found), [*val, *found.items])
    return {side: overlap.overlaps(rows, items) for side, (rows, items) in sides.items() if items}


def _items(model: str, paths: Iterable[Path]) -> Iterator[Item]:
    for place, row in read_rows(paths):
        yield from items_of_row(row, f"{model} {place}")


def _ancestor_items(found: Sources) -> Iterator[Item]:
    for ancestor in found.ancestors:
        yield from _items(ancestor.model, ancestor.train)


def overlap_frame(found: Sources) -> pandas.DataFrame:
    """One row for each validation exchange and evaluation case, with the overlaps of each comparison (see above)."""
    import pandas

    compared = [(item.id, "val") for item in _items(found.own.model, found.own.val)]
    compared += [(item.id, "cases") for item in found.items]
    kinds = dict(compared)  # of an id that two items have, the last; that ids differ is asked of the table
    table = pandas.DataFrame(compared, columns=["id", "kind"])
    for side, report in reports(found).items():
        for kind in ("val", "cases"):
            if side == kind:
                continue
            for tier in overlap.TIERS:
                hits = {hit.item: hit for hit in report.of(tier) if kinds[hit.item] == kind}
                name = f"{side}_{kind}_{tier}"
                table[name] = [_rows(hits.get(one), its == kind) for one, its in compared]
                table[f"{name}_by"] = [hits[one].train if one in hits else "" for one, _ in compared]
    return table


def files_frame(found: Sources) -> pandas.DataFrame:
    """One row for each data file of the model and its ancestors."""
    import pandas

    table = []
    for data in (found.own, *found.ancestors):
        named = None if data.manifest is None else listed(data.manifest)
        rows = {path: sum(1 for _, line in open_lines(path) if line.strip()) for path in data.files}
        whole = named is None or set(named) == {path.name for path in data.files}
        held = accounts(data.manifest, sum(rows.values()), whole=whole)
        for path in data.files:
            sha256 = sha256_file(path)
            table.append({
                "id": f"{data.model} {path.name}", "model": data.model, "rows": rows[path], "sha256": sha256,
                "as_manifest": None if named is None else named.get(path.name) == sha256, **held,
            })
    return pandas.DataFrame(table, columns=["id", "model", "rows", "sha256", "as_manifest", *NO_ACCOUNTS])


def _rows(hit: overlap.Overlap | None, compared: bool) -> float:
    return float("nan") if not compared else float(hit.rows) if hit else 0.0
