"""Rung 5: by how much do rates move though nothing has changed? No margin may be smaller."""

from pathlib import Path

from modelqa import benchmarks, noise, unsettled
from modelqa.phases import read_phases

from .test_parity import paths

MARGINS = read_phases(Path(__file__).parents[1] / "phases.toml").margins  # against the baseline, by gate
TOLERANCES = {"alignment_tax": benchmarks.TAX, "results_trend": benchmarks.OFF_LINE / 100}  # of imported results


def test_noise_floor(lab, measured):
    """Whatever a gate tolerates is larger than what the same checkpoint differs from itself by.

    Held against it are the margins of phases.toml, what chat tuning may cost a benchmark, and how far a model may lie
    off its family's line; the publisher holds the margin of a release's policy against the same number. The same
    prompts are asked twice, and one by one instead of in batches; every reply that differs counts, those too that
    differ only where two tokens are all but equally likely. With float32 on one machine none does; with 16 bits on a
    GPU some do, and then "no worse by 2%" says nothing. INCONCLUSIVE: neither the model nor the harness is wrong.
    """
    found = paths(lab)
    floor = noise.floor(found)
    measured.update(noise.counts(found), floor=round(floor, 4))
    measured["text"] = f"{floor:.1%} of the replies differ when the same checkpoint is asked again or one by one"
    margins = MARGINS | TOLERANCES
    if below := noise.below(margins, floor):
        text = f"{measured['text']}; the margin of {below[0]} is {margins[below[0]]:.0%}: widen it, or use float32"
        unsettled(text, code="parity.noise", locus=below[0])
