"""The reply cache: hit by content, whole after a kill, shared by processes, never trusted when damaged."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import warnings
from dataclasses import replace

import pytest
import tiny_model

from modelqa.checkpoint import open_checkpoint
from modelqa.errors import GenerationError
from modelqa.generate import CacheWarning, ReplyCache, Setup, library_versions
from modelqa.generate.cache import FILE
from modelqa.reply import Prompt, Reply

PROMPT = Prompt((1, 2, 3), "one two three")
REPLY = Reply((4, 5), "four<|end|>", "four", True, 0.25)
SETUP = Setup(checkpoint="c", template="t", stop_ids=(7,), max_new_tokens=8)


@pytest.fixture
def cache(tmp_path):
    with ReplyCache(tmp_path) as opened:
        yield opened


# -- keys


def test_two_equal_setups_give_one_key_and_the_text_of_the_prompt_does_not_count():
    assert SETUP.key(PROMPT) == replace(SETUP).key(Prompt(PROMPT.ids, "another spelling"))


@pytest.mark.parametrize(
    "change",
    [{"checkpoint": "d"}, {"template": "u"}, {"stop_ids": (7, 8)}, {"max_new_tokens": 9}, {"batch_size": 16},
     {"engine": "random-twin-1"}, {"dtype": "bfloat16"}, {"device": "cuda"}, {"versions": {"torch": "0"}}],
)  # fmt: skip
def test_whatever_may_change_a_reply_changes_the_key(change):
    assert replace(SETUP, **change).key(PROMPT) != SETUP.key(PROMPT)


def test_another_prompt_has_another_key():
    assert SETUP.key(Prompt((1, 2), "")) != SETUP.key(PROMPT)


def test_one_changed_byte_of_a_tensor_is_a_miss_and_the_same_bytes_elsewhere_are_a_hit(tmp_path):
    one = tiny_model.write_model(tmp_path / "one")
    moved = shutil.copytree(one, tmp_path / "moved")
    changed = shutil.copytree(one, tmp_path / "changed")
    data = bytearray((changed / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (changed / "model.safetensors").write_bytes(data)

    def key(folder):
        return replace(SETUP, checkpoint=open_checkpoint(folder).digest).key(PROMPT)

    with ReplyCache(tmp_path / "cache") as cache:
        cache.put_many({key(one): REPLY})
        assert cache.get_many([key(moved)]) == {key(moved): REPLY}
        assert cache.get_many([key(changed)]) == {}


def test_versions_are_those_installed():
    import torch
    import transformers

    assert library_versions() == {"torch": torch.__version__, "transformers": transformers.__version__}


# -- keeping


def test_what_is_put_in_comes_out_also_later(cache, tmp_path):
    odd = Reply((), "\ud800 \x00 \u202e \"'", "", False, None)
    cache.put_many({"a": REPLY, "b": odd})
    assert cache.get_many(["a", "b", "c"]) == {"a": REPLY, "b": odd}
    cache.close()
    assert ReplyCache(tmp_path).get_many(["b"]) == {"b": odd}


def test_a_reply_is_replaced_by_a_later_one(cache):
    cache.put_many({"a": REPLY})
    cache.put_many({"a": replace(REPLY, margin=1.0)})
    assert cache.get_many(["a"])["a"].margin == 1.0


def test_thousands_of_keys_are_asked_at_once(cache):
    many = {str(number): replace(REPLY, ids=(number,)) for number in range(2345)}
    cache.put_many(many)
    assert cache.get_many([*many, "absent"]) == many
    assert cache.get_many([]) == {}


def test_measurements_are_kept_beside_replies(cache):
    cache.put_measurement("a", {"gap": 0.5, "rows": [1, 2]})
    cache.put_many({"a": REPLY})
    assert cache.measurement("a") == {"gap": 0.5, "rows": [1, 2]}
    assert cache.measurement("b") is None


def test_reading_needs_no_torch(cache, tmp_path):
    cache.put_many({"a": REPLY})
    code = (
        "import sys; from pathlib import Path; from modelqa.generate import ReplyCache\n"
        "print(ReplyCache(Path(sys.argv[1])).get_many(['a'])['a'].raw, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{REPLY.raw} False"


def test_a_batch_that_cannot_be_written_leaves_nothing_of_itself(cache):
    cache.put_many({"a": REPLY})
    with pytest.raises(ValueError, match="JSON"):
        cache.put_many({"b": REPLY, "c": replace(REPLY, margin=float("nan"))})
    assert cache.get_many(["a", "b", "c"]) == {"a": REPLY}


# -- kills and company

WRITER = """
import sys
from pathlib import Path
from modelqa.generate import ReplyCache
from modelqa.reply import Reply
name, batches = sys.argv[2], int(sys.argv[3])
with ReplyCache(Path(sys.argv[1])) as cache:
    for batch in range(batches):
        cache.put_many({f"{name}-{batch}-{n}": Reply((batch, n), "x" * 3000, "", True, None) for n in range(10)})
        print(batch, flush=True)
"""


def writer(folder, name, batches):
    command = [sys.executable, "-c", WRITER, folder, name, str(batches)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no kill -9")
def test_a_kill_in_the_middle_of_writing_loses_at_most_the_batch_in_hand(tmp_path):
    for attempt in range(3):
        process = writer(tmp_path, f"run{attempt}", 10**6)
        reported = -1
        while reported < 3 + 4 * attempt:
            reported = int(process.stdout.readline())
        process.kill()
        rest = process.stdout.read().split()
        process.wait()
        reported = int(rest[-1]) if rest else reported
        with warnings.catch_warnings():
            warnings.simplefilter("error", CacheWarning)
            with ReplyCache(tmp_path) as cache:
                kept = [
                    len(cache.get_many([f"run{attempt}-{batch}-{n}" for n in range(10)]))
                    for batch in range(reported + 2)
                ]
        assert kept[: reported + 1] == [10] * (reported + 1)
        assert kept[reported + 1] in (0, 10)


def test_several_processes_write_at_once(tmp_path):
    processes = [writer(tmp_path, f"worker{number}", 15) for number in range(4)]
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    with ReplyCache(tmp_path) as cache:
        found = cache.get_many([f"worker{w}-{batch}-{n}" for w in range(4) for batch in range(15) for n in range(10)])
    assert len(found) == 600


# -- damage


def damaged(folder, expected):
    """Open the damaged cache: it warns, keeps the damaged file, and works."""
    with ReplyCache(folder) as cache:
        with pytest.warns(CacheWarning, match=r"damaged-1"):
            assert cache.get_many(["a"]) == expected
        cache.put_many({"a": REPLY})
        assert cache.get_many(["a"]) == {"a": REPLY}
    assert (folder / f"{FILE}.damaged-1").exists()


def filled(folder):
    with ReplyCache(folder) as cache:
        cache.put_many(dict.fromkeys(["a", *map(str, range(400))], REPLY))
    return folder / FILE


def test_a_file_that_is_no_cache_is_set_aside(tmp_path):
    (tmp_path / FILE).write_bytes(b"not a database, but long enough to be looked at" * 50)
    damaged(tmp_path, {})


def test_overwritten_pages_are_never_trusted(tmp_path):
    path = filled(tmp_path)
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)
    damaged(tmp_path, {})


def test_a_truncated_file_is_set_aside(tmp_path):
    path = filled(tmp_path)
    os.truncate(path, path.stat().st_size // 2)
    damaged(tmp_path, {})


def test_an_edited_reply_is_never_trusted(tmp_path):
    connection = sqlite3.connect(filled(tmp_path))
    better = json.dumps({**REPLY.to_json(), "text": "better"}).encode()
    connection.execute("UPDATE replies SET value = ? WHERE key = 'a'", [better])
    connection.commit()
    connection.close()
    damaged(tmp_path, {})


def test_a_reply_moved_to_another_key_is_never_trusted(tmp_path):
    connection = sqlite3.connect(filled(tmp_path))
    connection.execute("DELETE FROM replies WHERE key = 'a'")
    connection.execute("UPDATE replies SET key = 'a' WHERE key = '7'")
    connection.commit()
    connection.close()
    damaged(tmp_path, {})


def test_tables_of_another_form_are_set_aside(tmp_path):
    connection = sqlite3.connect(tmp_path / FILE)
    connection.execute("CREATE TABLE replies (name TEXT)")
    connection.commit()
    connection.close()
    damaged(tmp_path, {})


# -- places that cannot be written


def test_a_file_where_the_folder_should_be_is_one_clear_error(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(GenerationError) as caught:
        ReplyCache(tmp_path / "taken")
    assert "taken" in caught.value.fact and caught.value.remedy


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_one_clear_error(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(GenerationError, match="cannot be used"):
        ReplyCache(tmp_path).get_many(["a"])
    tmp_path.chmod(0o700)


def test_a_full_disk_is_one_clear_error_and_keeps_what_was_there(cache):
    cache.put_many({"a": REPLY})
    pages = cache._open().execute("PRAGMA page_count").fetchone()[0]
    cache._open().execute(f"PRAGMA max_page_count = {pages + 2}")  # SQLite's own "database or disk is full"
    with pytest.raises(GenerationError, match="full"):
        cache.put_many({str(number): replace(REPLY, raw="x" * 5000) for number in range(50)})
    assert cache.get_many(["a"]) == {"a": REPLY}
