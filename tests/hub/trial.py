"""One publisher against one fault, and what must hold afterwards.

The oracle is git and the bytes behind it: every commit on the branch is one that stood there before, one of the third
party's, or a release byte for byte, on a head that its publisher's policy had seen.
"""

from __future__ import annotations

import hashlib
import os
import signal
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from modelqa.publish.push import KEPT, title
from modelqa.publish.release_files import Release

from hub.faults import Call, Fault, Faults
from hub.publishers import REPOSITORY, Ending, Publisher, Settings, Variant, tiny_release
from hub.server import LoopbackHub
from hub.store import Repository, pointer

STRANGER = "a third party's commit"
NEVER_FIRED = "the fault never fired"
GIVE_UP = 1.0  # seconds that a publisher waits for an answer when it meets a slow one


def old_files(repository: Repository) -> dict[str, bytes]:
    """What stands in a repository before the first release: an old README, two shards and a pickle."""
    files = {"README.md": b"---\nlicense: mit\n---\n# an old model\n", "config.json": b'{"model_type": "llama"}\n'}
    for path in ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "pytorch_model.bin"):
        data = f"old {path}".encode() * 40
        sha256 = hashlib.sha256(data).hexdigest()
        assert repository.keep_object(sha256, data)
        files[path] = pointer(sha256, len(data))
    return files


@dataclass
class Trial:
    """A Hub with an old model in it, publishers, and the checks; a context manager."""

    xet: bool = False
    faults: Faults = field(default_factory=Faults)

    def __enter__(self) -> Trial:
        self._temporary = tempfile.TemporaryDirectory(prefix="modelqa-trial-", ignore_cleanup_errors=True)
        self.folder = Path(self._temporary.name)
        self.hub = LoopbackHub(self.folder / "hub", xet=self.xet, faults=Faults()).__enter__()
        self.repository = self.hub.repository(REPOSITORY)
        self.repository.commit("refs/heads/main", old_files(self.repository), message="an old model")
        self.before = [commit for commit, _, _ in self.repository.log("main")]
        self.hub.faults = self.faults
        self.heads: list[str] = []
        return self

    def __exit__(self, *_: object) -> None:
        self.hub.__exit__()
        self._temporary.cleanup()

    def settings(self, **values: object) -> Settings:
        """A publisher's settings against this Hub."""
        return Settings(self.hub.endpoint, self.folder / "work", xet=self.xet, **values)  # type: ignore[arg-type]

    def publish(self, **values: object) -> Ending:
        """Run one publisher to its end."""
        settings = self.settings(**values)
        self.release(settings.version)  # its files are there before the child starts
        publisher = Publisher(settings)
        self.faults.kill = lambda: os.kill(publisher.pid, signal.SIGKILL)
        ending = publisher.ending()
        self.heads += ending.heads
        return ending

    def release(self, version: str = "new") -> Release:
        """The release that a publisher of that version makes."""
        return tiny_release(self.folder / "work", version)

    def stranger_commits(self) -> None:
        """A third party adds a file and changes another."""
        count = len(self.repository.log("main"))
        files = {f"notes-{count}.txt": b"a note", "README.md": b"---\nlicense: mit\n---\nchanged by a third party\n"}
        self.repository.commit("refs/heads/main", files, message=STRANGER)

    def mixed_states(self, versions: tuple[str, ...] = ("new",)) -> list[str]:
        """What is wrong with the branch; empty when every commit is whole and was judged."""
        expected = {
            title(release): {file.path: file.sha256 for file in release.files}
            for release in map(self.release, versions)
        }
        wrong = []
        for commit, name, _ in self.repository.log("main"):
            if commit in self.before or name == STRANGER:
                continue
            files = {path: sha256 for path, sha256 in self.repository.files(commit).items() if path not in KEPT}
            if files != expected.get(name):
                wrong.append(f"{name}: the files are not the release's: {sorted(files)}")
            if not set(self.repository.parents(commit)) <= set(self.heads):
                wrong.append(f"{name}: stands on a head that the policy never saw")
        return wrong

    def unfinished(self, version: str = "new") -> list[str]:
        """What a publisher that said "published" has left undone."""
        release = self.release(version)
        log = self.repository.log("main")
        commits = [commit for commit, name, _ in log if name == title(release)]
        again = any(name == STRANGER for _, name, _ in log)  # a release may be made again on what a third party did
        wrong = [] if len(commits) == 1 or (commits and again) else [f"{len(commits)} commits of this release"]
        tags = [commit for name, commit in self.repository.refs("refs/tags").items() if release.id[:12] in name]
        if not set(tags) & set(commits):
            wrong.append("no tag on the release's commit")
        open_ones = [pull.number for pull in self.repository.pull_requests
                     if pull.title.startswith(title(release)) and pull.status in ("open", "draft")]  # fmt: skip
        return wrong + ([f"pull requests {open_ones} are still open"] if open_ones else [])


@dataclass(frozen=True)
class Outcome:
    """What came of one schedule: how the first run and the next one ended, and everything that was wrong."""

    first: Ending
    following: Ending | None
    wrong: list[str]


def run_schedule(
    fault: Fault | None,
    *,
    xet: bool,
    between: Call | None = None,
    space: int | None = None,
    variant: Variant | None = None,
) -> Outcome:
    """One publisher against one fault (or a third party that commits just before a call), then another without any.

    A slow answer is met by an impatient publisher. On a busy machine it may give up on an earlier call, which has
    tested nothing: then a more patient one is sent.
    """
    outcome = _run(fault, xet, between, space, variant, patience=GIVE_UP)
    if fault is not None and fault.kind == "slow" and NEVER_FIRED in outcome.wrong:
        return _run(fault, xet, between, space, variant, patience=20 * GIVE_UP)
    return outcome


def _run(
    fault: Fault | None, xet: bool, between: Call | None, space: int | None, variant: Variant | None, patience: float
) -> Outcome:
    with Trial(xet, Faults(fault)) as trial:
        if between is not None:
            trial.faults.between = _once(between, trial)
        if fault is not None and fault.kind == "corrupt" and fault.call.name == "PUT lfs object":
            sha256 = trial.release().by_path["model.safetensors"].sha256
            trial.faults.damage = lambda: trial.repository.damage_object(sha256)
        timeout = patience if fault is not None and fault.kind == "slow" else 60.0
        first = trial.publish(timeout=timeout, space=space, variant=variant)
        wrong = [] if trial.faults.fired or (fault is None and between is None) else [NEVER_FIRED]
        wrong += [f"after the first run: {text}" for text in trial.mixed_states()]
        wrong += [f"the first run said {first.how}: {text}" for text in trial.unfinished()
                  if first.how in ("published", "unchanged")]  # fmt: skip
        wrong += [f"the first run crashed: {first.text}"] if first.how == "crashed" else []
        trial.hub.faults = trial.faults = Faults()
        following = trial.publish(variant=variant)
        wrong += [f"after the next run: {text}" for text in trial.mixed_states()]
        if following.how in ("published", "unchanged"):
            wrong += [f"the next run said {following.how}: {text}" for text in trial.unfinished()]
        elif following.how != "refused" or "remedy: " not in following.text:
            wrong.append(f"the next run {following.how}: {following.text}")
        return Outcome(first, following, wrong)


def _once(at: Call, trial: Trial) -> Callable[[Call], None]:
    def act(call: Call) -> None:
        if call == at:
            trial.faults.fired += 1
            trial.stranger_commits()

    return act


def clean_trace(xet: bool) -> list[Call]:
    """The calls of a publisher that nothing happens to."""
    with Trial(xet) as trial:
        ending = trial.publish()
        assert ending.how == "published", ending
        assert not trial.mixed_states() and not trial.unfinished()
        return list(trial.faults.trace)
