"""The error tree. A user's mistake prints three things - the fact, the reason, the remedy - and no traceback.

Raise the narrowest class; `modelqa.cli` and `modelqa.plugin` print `str(error)` and stop with `exit_code`.
"""

from __future__ import annotations

import errno
import os
from functools import partial

SHOWN_PATH = 200  # characters of a path in a message: a system refuses one of more than some thousand
_REMEDIES = {
    errno.ENOENT: "correct the path, or make the file",
    errno.EACCES: "give yourself the right to read it, and to search each folder above it; or name another place",
    errno.EPERM: "give yourself the right to read it, and to search each folder above it; or name another place",
    errno.ENAMETOOLONG: "give a shorter path: no part of it may have more than 255 bytes",
    errno.ENOSPC: "free some space, or name another place",
}


class ModelqaError(Exception):
    """What went wrong, why, and what to do about it, as one printable message.

    `fact` is what happened ("there is no model named 'phase3a3'"), `reason` why that is so or why it matters,
    `remedy` what the reader can do now. All three are plain text; whoever prints them escapes them.
    """

    exit_code = 4  # pytest's own code for a usage error

    def __init__(self, fact: str, *, reason: str, remedy: str) -> None:
        super().__init__(fact)
        self.fact = fact
        self.reason = reason
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.fact}\n  reason: {self.reason}\n  remedy: {self.remedy}"

    def __reduce__(self) -> tuple[object, ...]:
        """As pickled between two processes: what `Exception` keeps by itself has no reason and no remedy."""
        return partial(type(self), reason=self.reason, remedy=self.remedy), (self.fact,), self.__dict__


class UsageError(ModelqaError):
    """The command line, or models.toml, asks for something that does not exist or contradicts itself."""


class CheckpointError(ModelqaError):
    """A checkpoint is missing a file, is damaged, or is of a kind that is not opened (pickle, remote code)."""


class DataError(ModelqaError):
    """A dataset or case file cannot be used as it is; the message names the file and the line."""


class TemplateError(ModelqaError):
    """A chat template is missing, does not render, or does not end in time."""


class GenerationError(ModelqaError):
    """Replies could not be made; nothing can be said about the model."""


class OutputError(ModelqaError):
    """A file cannot be written: no permission, no space, a folder that is a file."""


class RecordError(ModelqaError):
    """A run record cannot be read, is of another version, or contradicts itself."""


class ReleaseError(ModelqaError):
    """A release is refused: by its evidence, by the policy, or because what would be replaced is not known."""


class HubError(ModelqaError):
    """A call to the Hub failed, or the Hub holds something else than was sent. `status`: of its answer, if any came."""

    def __init__(self, fact: str, *, reason: str, remedy: str, status: int | None = None) -> None:
        super().__init__(fact, reason=reason, remedy=remedy)
        self.status = status


def of_system(error: OSError) -> ModelqaError:
    """What the operating system refuses, as one printable message: the path, its words, and what to do."""
    path = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
    shown = f"{path[:SHOWN_PATH]}…" if len(path) > SHOWN_PATH else path
    remedy = _REMEDIES.get(error.errno or 0, "check the path, its permissions and the space that is left")
    return ModelqaError(
        f"{shown or 'a file or a connection'} cannot be used", reason=error.strerror or str(error), remedy=remedy
    )
