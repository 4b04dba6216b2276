"""Faults of a harness, injected below the engine: `pytest -p faults.NAME`. The model and the suites are untouched."""
