"""Benchmarks of others: their result files imported, and rules on what the numbers can bear. Nothing is measured here.

`reading` tells whose files they are; `lm_eval`, `lighteval`, `inspect_log` and `table` read them; `result` is the
record. `level` looks at one model, `comparison` and `perplexity` at two, `trend` at a family. Rules give concerns:
proven ones fail a gate, the others ask for evidence.
"""

from modelqa.benchmarks.comparison import (
    TAX,
    Beside,
    Comparison,
    compare,
    compared,
    comparison_lines,
    jump_concerns,
    jumps,
    set_concerns,
    worse_concerns,
)
from modelqa.benchmarks.concern import Concern, settle
from modelqa.benchmarks.leak import leak_concerns
from modelqa.benchmarks.level import against_chance, chance_concerns, recall_spread, shortcut_concerns, stated_concerns
from modelqa.benchmarks.perplexity import contradiction_concerns, per_token, perplexity_concerns
from modelqa.benchmarks.reading import import_files
from modelqa.benchmarks.result import Result, ResultSet, read_results, results_of, write_results
from modelqa.benchmarks.trend import OFF_LINE, read_ablation, read_trend, trend_concerns

__all__ = [
    "OFF_LINE",
    "TAX",
    "Beside",
    "Comparison",
    "Concern",
    "Result",
    "ResultSet",
    "against_chance",
    "chance_concerns",
    "compare",
    "compared",
    "comparison_lines",
    "contradiction_concerns",
    "import_files",
    "jump_concerns",
    "jumps",
    "leak_concerns",
    "per_token",
    "perplexity_concerns",
    "read_ablation",
    "read_results",
    "read_trend",
    "recall_spread",
    "results_of",
    "set_concerns",
    "settle",
    "shortcut_concerns",
    "stated_concerns",
    "trend_concerns",
    "worse_concerns",
    "write_results",
]
