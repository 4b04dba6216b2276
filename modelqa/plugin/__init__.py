"""The pytest plugin: hooks only. Inert unless `--model` is given; loads nothing heavier than pytest at import.

`pytest suites/ --model phase3a2` registers `modelqa.plugin.active.Active`, which does the work.
"""

from __future__ import annotations

import pytest

MODEL = "the checkpoint to judge: a name in models.toml, a folder, or a Hub id"
OPTIONS = {
    "--modelqa-models": "the model registry (default: models.toml or fixtures/models.toml under the root folder)",
    "--modelqa-dir": "where records, cache and history go (default: .modelqa under the root folder)",
    "--modelqa-case-seed": "redraw every seeded case stream with this whole number (default: 0)",
    "--modelqa-baseline": "lay the candidate beside this model or stored run.json (default: models.toml's; none)",
    "--modelqa-phase": "judge by another phase's row; recorded, and blocks a release",
    "--modelqa-max-new-tokens": "how long a reply may get (default: 128)",
    "--modelqa-engine": "who replies: local, or an OpenAI-compatible server, http://HOST:PORT/v1 (default: local)",
    "--modelqa-served": "the name that the server knows the candidate by (default: found in its list)",
    "--modelqa-dtype": "arithmetic of the local engine (default: float32)",
    "--modelqa-device": "where the local engine runs: cpu, cuda or mps (default: cpu)",
}
FLAGS = {"--modelqa-release": "make every reply and measurement anew, whatever is cached; required for a release"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--model` and the `--modelqa-...` options, all strings so that they travel to workers."""
    group = parser.getgroup("modelqa", "gates for trained language-model checkpoints")
    options = {"--model": MODEL, **OPTIONS}
    try:
        for name, text in options.items():
            group.addoption(name, default=None, help=text)
        for name, text in FLAGS.items():
            group.addoption(name, action="store_true", default=False, help=text)
    except ValueError as error:
        raise pytest.UsageError(
            f"modelqa cannot add its options: {error}\n"
            "  reason: another pytest plugin owns an option of the same name\n"
            "  remedy: switch that plugin off for this run with -p no:NAME"
        ) from None


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark, and the active plugin when a model is named."""
    config.addinivalue_line("markers", "modelqa_gate(gate): made by modelqa.gate; judged when --model is given")
    if config.getoption("--model") is not None and not config.getoption("--help"):
        from modelqa.plugin.active import activate

        activate(config)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A gate without a model says so, instead of looking for a fixture named `reply`."""
    if item.get_closest_marker("modelqa_gate") and item.config.getoption("--model") is None:
        pytest.fail(
            f"{item.name} is a gate, and no model is named\n"
            "  reason: gates judge a checkpoint\n"
            "  remedy: pytest suites/ --model NAME_OR_FOLDER",
            pytrace=False,
        )
