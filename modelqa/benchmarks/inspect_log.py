"""inspect_ai: logs as `.json` and as `.eval`, a zip archive of JSON files packed by deflate or zstandard."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from modelqa.benchmarks.checks import MAX_FILE_BYTES, MAX_ITEMS, check_count, check_mean, need, refuse
from modelqa.benchmarks.result import Item, Result, ResultSet, complete, number, unit_of
from modelqa.files import canonical_json, sha256_file, sha256_text

MARKS = frozenset({"version", "status", "eval"})
_ZSTANDARD = 93  # of the zip format's compression methods (APPNOTE 4.4.5)
_LOCAL_HEADER = struct.Struct("<4s22xHH")  # signature, ..., length of the name, length of the extra field
_GRADES = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}  # correct, partial, incorrect, no answer: inspect's value_to_float
_MEANS = ("accuracy", "mean")

Rows = list[dict[str, Any]]


def read(path: Path, content: Mapping[str, Any], samples: Sequence[Path] = ()) -> ResultSet:
    """The results of one log; each scorer's metrics, over the questions that it scored."""
    if samples:
        refuse(
            f"{samples[0]} does not belong to {path}", "a log of inspect_ai holds its questions itself", "leave it out"
        )
    if content["status"] != "success":
        refuse(
            f"{path}: the run ended with status {content['status']!r}",
            "the questions that were not asked would be missing from every number",
            "let the run finish (inspect eval-retry), then import its log",
        )
    task = need(content["eval"], dict, path, "eval")
    rows: Rows = need(content.get("samples") or [], list, path, "samples")
    outcome = need(content.get("results") or {}, dict, path, "results")
    if rows:
        check_count(path, str(task.get("task")), len(rows), outcome.get("total_samples"))
    results = [result for score in outcome.get("scores", []) for result in _results(path, task, score, rows, outcome)]
    source = {
        "tool": "inspect_ai",
        "version": str(task.get("packages", {}).get("inspect_ai", "")),
        "files": {path.name: sha256_file(path)},
    }
    kept = tuple({"task": str(task.get("task")), "id": _id(row), "row": row} for row in rows)
    return ResultSet(source, tuple(results), {key: value for key, value in content.items() if key != "samples"}, kept)


def _id(row: Mapping[str, Any]) -> str:
    epoch = row.get("epoch", 1)
    return str(row.get("id")) if epoch == 1 else f"{row.get('id')}#{epoch}"


def _results(
    path: Path, task: Mapping[str, Any], score: Mapping[str, Any], rows: Rows, outcome: Mapping[str, Any]
) -> list[Result]:
    items = _items(rows, str(score.get("name", "")))
    scores = [item.score for item in items]
    known = [value for value in scores if value is not None]
    results = []
    metrics = score.get("metrics", {})
    for metric, entry in metrics.items():
        value = number(entry.get("value"))
        if metric == "stderr":
            continue
        if known and metric in _MEANS:
            check_mean(path, f"{task.get('task')} {metric}", sum(known) / len(known), value)
        own = items if metric in _MEANS else ()
        result = Result(
            model=str(task.get("model_args", {}).get("model_path") or task.get("model", "")),
            task=str(task.get("task")),
            metric=metric,
            value=value,
            unit=unit_of(metric, value, [item.score for item in own]),
            n=_count(task, outcome),
            stderr=number(metrics.get("stderr", {}).get("value")),
            version=str(task.get("task_attribs", {}).get("version") or task.get("task_version", "")),
            filter=str(score.get("name", "")),
            items=own,
            extra={"eval": task},
        )
        results.append(complete(result))
    return results


def _count(task: Mapping[str, Any], outcome: Mapping[str, Any]) -> int | None:
    """Questions, not samples: a question that is asked in several epochs is still one question."""
    total, epochs = outcome.get("total_samples"), task.get("config", {}).get("epochs") or 1
    return total // epochs if isinstance(total, int) and total >= epochs else None


def _items(rows: Rows, scorer: str) -> tuple[Item, ...]:
    """One item a question; its score is the mean over the epochs in which it was asked."""
    asked: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if scorer in (row.get("scores") or {}):
            asked[str(row.get("id"))].append(row)
    return tuple(_item(name, several, scorer) for name, several in sorted(asked.items()))


def _item(name: str, rows: Rows, scorer: str) -> Item:
    first = rows[0]
    grades = [_grade(row["scores"][scorer].get("value")) for row in rows]
    known = [grade for grade in grades if grade is not None]
    choices, target = first.get("choices"), first.get("target", "")
    return Item(
        id=name,
        score=sum(known) / len(known) if known else None,
        gold=target if isinstance(target, str) else ", ".join(map(str, target)),
        answer=str(first["scores"][scorer].get("answer") or ""),
        options=len(choices) if choices else None,
        sha256=sha256_text(canonical_json([first.get("input"), choices])),
    )


def _grade(value: Any) -> float | None:
    return _GRADES.get(value) if isinstance(value, str) else float(value) if isinstance(value, bool) else number(value)


# -- the archive -------------------------------------------------------------------------------------------------------


def unpack(path: Path) -> dict[str, Any]:
    """The log in an `.eval` archive; `DataError` when it is cut off, damaged or larger than what is read."""
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as stream:
            members = {info.filename: info for info in archive.infolist()}
            _bounded(path, members)
            if "header.json" not in members:
                refuse(
                    f"{path} has no header.json",
                    "inspect_ai writes it when a run ends: this run did not, or the file is no log",
                    "let the run finish, then import its log",
                )
            content: dict[str, Any] = need(_json(path, stream, members["header.json"]), dict, path, "header.json")
            content["samples"] = list(_samples(path, stream, members))
    except (zipfile.BadZipFile, OSError) as error:
        refuse(f"{path} cannot be read: {error}", "a log of inspect_ai is a whole zip archive", "take the file again")
    if missing := MARKS - content.keys():
        refuse(
            f"{path}: header.json lacks {', '.join(sorted(missing))}", "it is no log of inspect_ai", "check the file"
        )
    return content


def _bounded(path: Path, members: Mapping[str, zipfile.ZipInfo]) -> None:
    total = sum(info.file_size for info in members.values())
    if total > MAX_FILE_BYTES or len(members) > MAX_ITEMS:
        refuse(
            f"{path} unpacks to {total} bytes in {len(members)} files",
            f"more than {MAX_FILE_BYTES} bytes or {MAX_ITEMS} files are not read",
            "log without attachments and events (inspect eval --no-log-samples, or convert to JSON)",
        )


def _samples(path: Path, stream: BinaryIO, members: Mapping[str, zipfile.ZipInfo]) -> Iterator[dict[str, Any]]:
    for name in sorted(members):
        if name.startswith("samples/") and name.endswith(".json"):
            yield need(_json(path, stream, members[name]), dict, path, name)


def _json(path: Path, stream: BinaryIO, member: zipfile.ZipInfo) -> Any:
    data = _unpacked(path, stream, member)
    if zlib.crc32(data) != member.CRC:
        refuse(f"{path}: {member.filename} is damaged", "its checksum is another one", "take the file again")
    try:
        return json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        refuse(f"{path}: {member.filename} is no JSON: {error}", "the log is damaged", "take the file again")


def _unpacked(path: Path, stream: BinaryIO, member: zipfile.ZipInfo) -> bytes:
    """A member's bytes, at most as many as the archive's directory says. Python 3.11's zipfile knows no zstandard."""
    import zstandard

    stream.seek(member.header_offset)
    signature, name, extra = _LOCAL_HEADER.unpack(stream.read(_LOCAL_HEADER.size).ljust(_LOCAL_HEADER.size, b"\0"))
    stream.seek(name + extra, 1)
    packed = stream.read(member.compress_size)
    try:
        if signature != b"PK\x03\x04" or len(packed) != member.compress_size:
            raise ValueError("cut off")
        if member.compress_type == zipfile.ZIP_STORED:
            return packed
        if member.compress_type == zipfile.ZIP_DEFLATED:
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, member.file_size)
        if member.compress_type == _ZSTANDARD:
            with zstandard.ZstdDecompressor().stream_reader(packed) as reader:
                return reader.read(member.file_size)
        raise ValueError(f"packed by method {member.compress_type}")
    except (ValueError, zlib.error, zstandard.ZstdError) as error:
        refuse(f"{path}: {member.filename} cannot be unpacked: {error}", "the log is damaged", "take the file again")
