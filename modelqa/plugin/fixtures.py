"""The fixtures that suites use. Registered only in a session with `--model`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from modelqa.ask import Grammar
from modelqa.chat import Chat
from modelqa.checkpoint import Checkpoint
from modelqa.data.suite import Result
from modelqa.files import sha256_file
from modelqa.models import Model
from modelqa.plugin.code import suite_digest
from modelqa.plugin.lab import Lab
from modelqa.plugin.versus import Versus


@pytest.fixture
def case() -> None:
    """The case that a singular gate is asked about; the plugin puts it in place."""


@pytest.fixture
def reply() -> None:
    """The reply to `case`; the plugin puts it in place."""


@pytest.fixture
def cases() -> None:
    """All cases of a plural gate; the plugin puts them in place."""


@pytest.fixture
def replies() -> None:
    """All replies of a plural gate, in the order of `cases`; the plugin puts them in place."""


@pytest.fixture
def lab(pytestconfig: pytest.Config) -> Lab:
    """Everyone in this session, and ways to ask them: see `modelqa.plugin.lab`."""
    active: Any = pytestconfig.pluginmanager.get_plugin("modelqa-active")
    return active.lab  # type: ignore[no-any-return]


@pytest.fixture
def model(lab: Lab) -> Model:
    """What models.toml says of the candidate."""
    return lab.candidate.model


@pytest.fixture
def checkpoint(lab: Lab) -> Checkpoint:
    """The candidate's files, opened without torch."""
    return lab.candidate.checkpoint


@pytest.fixture
def chat(lab: Lab) -> Chat:
    """The candidate's tokenizer, template and stop tokens."""
    return lab.candidate.chat


@pytest.fixture
def grammar(lab: Lab) -> Grammar:
    """Which special tokens may stand where in the candidate's replies."""
    return lab.candidate.grammar


@pytest.fixture
def baseline(pytestconfig: pytest.Config) -> Versus:
    """How the candidate did against its baseline on the same cases: see `modelqa.plugin.versus`."""
    active: Any = pytestconfig.pluginmanager.get_plugin("modelqa-active")
    return active.judging.versus  # type: ignore[no-any-return]


@pytest.fixture
def data_results(request: pytest.FixtureRequest) -> Callable[[str], dict[str, Result]]:
    """A function from the name of a JSON suite beside the test to {expectation id: result}."""
    active: Any = request.config.pluginmanager.get_plugin("modelqa-active")
    return lambda suite: active.judging.data.results(request.path.parent / f"{suite}.json")


@pytest.fixture
def threshold(request: pytest.FixtureRequest) -> float | None:
    """What this check's row in phases.toml asks for in the phase of this run; None without such a number."""
    active: Any = request.config.pluginmanager.get_plugin("modelqa-active")
    planned: Any = active.judging.planned
    return next(entry.threshold for entry in planned if entry.node == request.node.nodeid)  # type: ignore[no-any-return]


@pytest.fixture
def kept(request: pytest.FixtureRequest, lab: Lab) -> Callable[[Iterable[Path], Callable[[], Any]], Any]:
    """A function (files, make) -> what `make()` gives, a JSON value, or what an earlier run of the same code gave.

    For what takes long to read: the result may depend on nothing but the bytes of `files`, the suite's code and
    modelqa's.
    """
    node, code = request.node.nodeid, suite_digest(request.path.parent)
    return lambda files, make: lab.kept([node, [sha256_file(file) for file in files]], make, code)


@pytest.fixture
def measured() -> dict[str, Any]:
    """Scalars that a check wants to stand in the record; "text" is shown in the closing table."""
    return {}
