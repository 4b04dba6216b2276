"""Statistics for "k of n said yes": pure functions, each with the source of its formula.

`beta` special functions, `binomial` bounds of a rate, `clustered` bounds when cases come in families, `paired` two
models on the same cases, `resampled` bootstrap, `multiple` several claims at once, `sequential` stopping early,
`planning` how many cases, `chance` what knowing nothing scores, `trend` a line through few points.

Nothing heavy is imported: a run from the cache does not wait for numpy or scipy.
"""

from modelqa.stats.beta import beta_cdf, beta_quantile, t_quantile
from modelqa.stats.binomial import ALPHA, binomial_tail, cp_lower, cp_upper, wilson
from modelqa.stats.chance import best_constant, centred, chance_level, label_entropy
from modelqa.stats.clustered import FEW_FAMILIES, clustered_lower, clustered_upper, few_families
from modelqa.stats.multiple import holm
from modelqa.stats.paired import Paired, difference_interval, mcnemar, non_inferior, paired_counts, tango
from modelqa.stats.planning import (
    POWER,
    all_pass_cases,
    cases_needed,
    paired_cases_needed,
    settle,
    visible_difference,
    visible_rate,
)
from modelqa.stats.resampled import bootstrap_mean, cluster_bootstrap
from modelqa.stats.sequential import Schedule, curtailed, decide, decide_clustered
from modelqa.stats.trend import Line, fit_line, prediction_interval

__all__ = [
    "ALPHA",
    "FEW_FAMILIES",
    "POWER",
    "Line",
    "Paired",
    "Schedule",
    "all_pass_cases",
    "best_constant",
    "beta_cdf",
    "beta_quantile",
    "binomial_tail",
    "bootstrap_mean",
    "cases_needed",
    "centred",
    "chance_level",
    "cluster_bootstrap",
    "clustered_lower",
    "clustered_upper",
    "cp_lower",
    "cp_upper",
    "curtailed",
    "decide",
    "decide_clustered",
    "difference_interval",
    "few_families",
    "fit_line",
    "holm",
    "label_entropy",
    "mcnemar",
    "non_inferior",
    "paired_cases_needed",
    "paired_counts",
    "prediction_interval",
    "settle",
    "t_quantile",
    "tango",
    "visible_difference",
    "visible_rate",
    "wilson",
]
