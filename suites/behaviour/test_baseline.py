"""Is the model no worse than its baseline? The same cases, paired, for each gate that has a margin in phases.toml.

The baseline is what models.toml declares, or `--modelqa-baseline NAME_OR_RUN_JSON`. An absolute gate does not see a
skill fall from 100% to 90%; this one does.
"""

from pathlib import Path

import pytest

from modelqa import compare, deny, unsettled
from modelqa.phases import read_phases

MARGINS = read_phases(Path(__file__).parents[1] / "phases.toml").margins


@pytest.mark.parametrize("gate", sorted(MARGINS))
def test_not_worse(gate, baseline, measured):
    """The difference is shown to be above -margin (PASS), or to be a loss (FAIL: exact McNemar after Holm)."""
    found = baseline.compare(gate)
    measured.update(compare.numbers(found, baseline=baseline.name, margin=MARGINS[gate]))
    if found.lower > -MARGINS[gate]:
        return
    deny(compare.regression_problems(found, baseline=baseline.name))
    unsettled(f"{measured['text']}: neither a loss nor no loss of more than {MARGINS[gate]:.0%} is shown")
