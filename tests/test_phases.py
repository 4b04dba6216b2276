"""The phase table."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelqa.errors import UsageError
from modelqa.phases import Later, read_phases

ROOT = Path(__file__).parents[1]


def test_an_entry_is_a_rate_or_a_later_phase_with_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "phases.toml"
    path.write_text(
        '[phases]\norder = ["a", "b"]\n[gates.echo]\na = { from = "b", because = "taught in b" }\nb = 0.8\n'
    )
    phases = read_phases(path)
    assert phases.entry("echo", "a") == Later("b", "taught in b")
    assert phases.entry("echo", "b") == 0.8
    assert phases.entry("unknown", "b") is None
    assert phases.default == "b"


@pytest.mark.parametrize(
    "row", ['b = 80', 'b = "high"', 'b = true', 'b = { from = "b" }', 'b = { from = "z", because = "x" }', "z = 0.5"]
)
def test_anything_else_is_one_clear_error(tmp_path: Path, row: str) -> None:
    path = tmp_path / "phases.toml"
    path.write_text(f'[phases]\norder = ["a", "b"]\n[gates.echo]\n{row}\n')
    with pytest.raises(UsageError, match=r"gates\.echo"):
        read_phases(path)


def test_along_the_chain_no_shipped_threshold_is_loosened() -> None:
    phases = read_phases(ROOT / "suites" / "phases.toml")
    chain = ["base", "phase3a1_alpha", "phase3a1_beta", "phase3a1_gamma", "phase3a2"]
    assert set(chain) <= set(phases.order)
    for gate, row in phases.rows.items():
        rates = [row[phase] for phase in chain if isinstance(row.get(phase), float)]
        assert rates == sorted(rates), gate
