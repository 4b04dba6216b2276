"""Files are written whole or not at all, and a bad line is named."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from modelqa.errors import DataError
from modelqa.files import (
    canonical_json,
    read_json,
    read_jsonl,
    sha256_text,
    strict_json,
    write_bytes,
    write_json,
    write_jsonl,
)


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.zst"])
def test_rows_come_back_as_they_were_written(tmp_path: Path, name: str) -> None:
    rows = [{"id": "a", "text": "Grüße \u202e \ud800x"[:7]}, {"id": "b", "n": [1, None, True]}]
    assert write_jsonl(tmp_path / name, rows) == 2
    assert [row for _, row in read_jsonl(tmp_path / name)] == rows


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_jsonl(tmp_path / f"{name}.jsonl.zst", [{"z": 1, "a": 2}] * 100)
    assert (tmp_path / "a.jsonl.zst").read_bytes() == (tmp_path / "b.jsonl.zst").read_bytes()


@pytest.mark.parametrize(
    ("line", "fact"),
    [
        (b'{"id": 1', "line 2: not JSON"),
        (b'{"id": "\xff"}', "line 2: not UTF-8"),
        (b"[1, 2]", "line 2: a JSON list"),
        (b"[" * 100_000, "line 2: not JSON"),
        (b'{"id": ' + b"1" * 5000 + b"}", "line 2: not JSON (Exceeds the limit"),
    ],
)
def test_a_bad_line_is_named_with_its_remedy(tmp_path: Path, line: bytes, fact: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"id": 0}\n' + line + b"\n")
    with pytest.raises(DataError) as caught:
        list(read_jsonl(path))
    assert fact in caught.value.fact
    assert caught.value.reason and caught.value.remedy


@pytest.mark.parametrize("kept", [3, 5, 40, -4, -1])
def test_a_compressed_file_that_was_cut_is_no_shorter_file(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "rows.jsonl.zst"
    write_jsonl(path, [{"id": f"{number}", "n": number * 7919 % 10007} for number in range(5000)])
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DataError, match=r"rows\.jsonl\.zst cannot be decompressed: it ends within a frame"):
        list(read_jsonl(path))


@pytest.mark.parametrize("data", [b'{"id": 0}\n', b"\0" * 5000])
def test_a_file_that_is_only_called_compressed_is_one_clear_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "rows.jsonl.zst"
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"rows\.jsonl\.zst cannot be decompressed") as caught:
        list(read_jsonl(path))
    assert ".jsonl if it is not compressed" in caught.value.remedy


def test_frames_that_follow_each_other_are_read_as_one_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.zst"
    write_jsonl(path, [{"id": number} for number in range(3000)])
    path.write_bytes(path.read_bytes() * 2)
    assert [row["id"] for _, row in read_jsonl(path)] == [*range(3000), *range(3000)]


def test_a_file_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no file"):
        list(read_jsonl(tmp_path / "no.jsonl"))
    with pytest.raises(DataError, match="cannot be read"):
        read_json(tmp_path / "no.json")


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    target = tmp_path / "run.json"
    write_json(target, {"a": 1})
    before = target.read_bytes()
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(target, {"a": float("nan")})
    assert target.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_a_kill_while_writing_leaves_one_whole_version(tmp_path: Path) -> None:
    target = tmp_path / "file"
    code = (
        "import sys; from pathlib import Path; from modelqa.files import write_bytes\n"
        "n = 0\nwhile True:\n    n += 1\n    write_bytes(Path(sys.argv[1]), str(n % 10).encode() * 300_000)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", code, str(target)])
    deadline = time.monotonic() + 30
    while not target.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    data = target.read_bytes()
    assert len(data) == 300_000 and len(set(data)) == 1


def test_canonical_json_and_its_hash_do_not_depend_on_key_order() -> None:
    assert canonical_json({"b": 1, "a": [2]}) == '{"a":[2],"b":1}'
    assert sha256_text(canonical_json({"b": 1, "a": 2})) == sha256_text(canonical_json({"a": 2, "b": 1}))


def test_written_files_can_be_read_by_others(tmp_path: Path) -> None:
    write_bytes(tmp_path / "f", b"x")
    umask = os.umask(0)
    os.umask(umask)
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o644 & ~umask


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ('{"a": 1, "b": {"c": 1, "c": 2}}', "'c' stands twice"),
        ('{"a": NaN}', "no number"),
        ("[-Infinity]", "no number"),
        ("[1e999]", "no number"),
        ("{", "Expecting"),
    ],
)
def test_strict_json_refuses_what_readers_disagree_about(text: str, fact: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=fact):
        strict_json(text)
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DataError, match="cannot be read"):
        read_json(tmp_path / "a.json", strict=True)


def test_strict_json_reads_what_is_plain() -> None:
    assert strict_json('{"a": [1, 2.5, -1e-3, "x", null, true]}') == {"a": [1, 2.5, -0.001, "x", None, True]}
