"""The suites judge a model: without one there is nothing to run."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """One clear error instead of one for each test."""
    if config.getoption("--model") is None and not (config.option.collectonly or config.getoption("--help")):
        raise pytest.UsageError(
            "no model is named\n"
            "  reason: the suites judge a checkpoint\n"
            "  remedy: pytest suites/ --model NAME, a name of models.toml, a folder, or a Hub id"
        )
