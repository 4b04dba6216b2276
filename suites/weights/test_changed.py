"""Was anything trained? The candidate's weights against its baseline's."""

from modelqa import compare, deny


def test_changed(checkpoint, baseline):
    """The weights are not those of the baseline over again."""
    name = baseline.name
    deny(compare.unchanged_problems(checkpoint.weights_digest, baseline=name, baseline_weights=baseline.weights))
