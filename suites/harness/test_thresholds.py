"""Is a pass still what it was? Thresholds that were loosened quietly make every model better without changing one.

`released.json` beside phases.toml notes what was demanded at the last release; `ledger.toml` holds the reason of each
loosening since. After a release: `modelqa thresholds --release NAME`.
"""

from pathlib import Path

from modelqa import deny, no_evidence, thresholds
from modelqa.models import ancestors

SUITES = Path(__file__).parents[1]


def test_thresholds(model, lab, measured):
    """Nothing is demanded less strictly than at the last release, or than in a phase before, without a written reason.

    Compared are the rates and margins of phases.toml, what gates declare (floors, null policies that may pass, printed
    instead of judged), the constants of the test files, and the keywords and severities of the data suites; gates that
    are gone count too. What cannot be told to be stricter counts as looser. A reason is a row of ledger.toml for
    exactly this bar at exactly this value.
    """
    standing = thresholds.stated(SUITES)
    if not standing["release"]:
        no_evidence("a released.json beside phases.toml, written by: modelqa thresholds --release NAME")
    line = [each.phase for each in reversed([model, *ancestors(lab.registry, model)]) if each.phase]
    if standing["loosened"]:
        measured["text"] = f"{len(standing['loosened'])} looser than at {standing['release']}, each with its reason"
    deny(thresholds.ledger_problems(standing, line))
