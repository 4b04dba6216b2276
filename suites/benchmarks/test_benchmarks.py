"""Rung 7: what other harnesses measured. Nothing is run here; imported results are held to what they can bear.

[models.my-chat]
benchmarks = ["results/my-chat.json"]   # written by: modelqa import results_*.json --out results/my-chat.json
cheaper = ["my-smaller-chat"]           # shipped models that cost less: this one must not be worse
trend = "results/ifeval.json"           # the family's line on a benchmark; ablation = ... is the evidence off it
"""

import warnings

from modelqa import Problem, benchmarks, deny, not_asked, scaling


def sets(model):
    """The imported results of a model of the registry."""
    return [benchmarks.read_results(path) for path in model.benchmarks]


def results(model):
    """All its results; a model that declares none is not asked about."""
    if not model.benchmarks:
        not_asked(f"models.toml declares no results: [models.{model.name}] benchmarks = [...], from modelqa import")
    return [result for found in sets(model) for result in benchmarks.results_of(found, model.name)]


def other(lab, name, what):
    """The results of another model, when it has any."""
    if not name:
        not_asked(f"models.toml declares no {what} for {lab.candidate.model.name}")
    return results(lab.registry.models[name])


def test_results_stated(lab, model):
    """Every result states its value and n, a chance level that its items bear out, and the weights that are judged."""
    results(model)
    digest = lab.candidate.checkpoint.weights_digest
    bound = [
        benchmarks.stated_concerns(benchmarks.results_of(each, model.name), digest, each.weights)
        for each in sets(model)
    ]
    benchmarks.settle(concern for concerns in bound for concern in concerns)


def test_results_above_chance(model):
    """No score is below chance, at chance, or what one answer for everything gets."""
    found = results(model)
    if all(result.chance is None for result in found):
        not_asked("no result has questions with options, or states a chance level")
    benchmarks.settle(benchmarks.chance_concerns(found))


def test_results_by_knowledge(model, measured):
    """Choices are made by what the options say: they survive rotation and need the question."""
    found = results(model)
    if not any(result.control or any(item.options for item in result.items) for result in found):
        not_asked("no result has its questions with it, or a control: rotated, options_only")
    spreads = {result.name: benchmarks.recall_spread(result.items) for result in found}
    measured.update(
        {f"recall spread {name}": round(spread, 4) for name, spread in spreads.items() if spread is not None}
    )
    benchmarks.settle(benchmarks.shortcut_concerns(found))


def test_alignment_tax(lab, model, measured):
    """Chat tuning cost no benchmark that the base was asked too more than is tolerated (`benchmarks.TAX`)."""
    mine, base = results(model), other(lab, model.parent, "parent")
    measured.update(benchmarks.comparison_lines(mine, base, template=False))
    benchmarks.settle(
        [
            *benchmarks.worse_concerns(mine, base, code="tax", margin=benchmarks.TAX, template=False),
            *benchmarks.set_concerns(mine, base, code="tax_set", template=False),
        ]
    )


def test_results_against_baseline(lab, model, measured):
    """Not shown to be worse than the baseline on the same questions, asked the same way."""
    mine, old = results(model), other(lab, model.baseline, "baseline")
    measured.update(benchmarks.comparison_lines(mine, old))
    benchmarks.settle(
        [
            *benchmarks.worse_concerns(mine, old, code="worse_than_baseline"),
            *benchmarks.set_concerns(mine, old, code="baseline_set"),
        ]
    )


def test_results_too_good(lab, model):
    """A jump over the baseline comes from neither another format nor questions that stand in the training data."""
    jumps = benchmarks.jumps(results(model), other(lab, model.baseline, "baseline"))
    if jumps:
        fed = lab.captured_problems()  # without a capture there is no evidence of the format
        deny(Problem("benchmarks.other_format", found.locus, found.text) for found in fed)
        leaks, looked_at = benchmarks.leak_concerns(model.benchmarks, model.train, {each.new.task for each in jumps})
        benchmarks.settle([*leaks, *benchmarks.jump_concerns(jumps, looked_at)])


def test_results_against_cheaper(lab, model, measured):
    """Not worse than a shipped model that costs less."""
    mine = results(model)
    if not model.cheaper:
        not_asked(f"[models.{model.name}] cheaper = [...] names no shipped model that costs less")
    found = []
    for name in model.cheaper:
        smaller = other(lab, name, "cheaper model")
        measured.update({f"{name}: {key}": text for key, text in benchmarks.comparison_lines(mine, smaller).items()})
        found += benchmarks.worse_concerns(mine, smaller, code="worse_than_cheaper")
        found += benchmarks.set_concerns(mine, smaller, code="cheaper_set")
    benchmarks.settle(found)


def test_results_trend(model, measured):
    """The model continues its family's line, or an ablation bears out that it does not."""
    if model.trend is None:
        not_asked(f'models.toml declares no family: [models.{model.name}] trend = "results/TASK.json"')
    trend = benchmarks.read_trend(model.trend)
    measured["delta"] = trend.candidate.delta
    ablation = benchmarks.read_ablation(model.ablation) if model.ablation else None
    benchmarks.settle(benchmarks.trend_concerns(trend, ablation))


def test_results_perplexity(lab, model):
    """Perplexities do not contradict each other, and stand beside the baseline's only on one text and tokenizer."""
    mine = results(model)
    if not any(result.unit in ("perplexity", "bits_per_byte") for result in mine):
        not_asked("no result is a perplexity, or counts bits per byte")
    baseline = lab.registry.models.get(model.baseline)
    old = results(baseline) if baseline and baseline.benchmarks else []
    benchmarks.settle([*benchmarks.perplexity_concerns(mine, old), *benchmarks.contradiction_concerns(mine)])


def test_scale(lab, model, measured):
    """Tokens a parameter, printed; far fewer than compute-optimal training is a warning, no failure."""
    found = scaling.position(lab.candidate.checkpoint, model, lab.registry)
    if found.ratio is None:
        not_asked(f"[models.{model.name}] training_tokens = N is not declared, and not every stage has a capture")
    measured.update({"parameters": found.parameters, "tokens": found.tokens, "text": found.text})
    if found.ratio < scaling.COMPUTE_OPTIMAL:
        measured["warning"] = f"{found.text}: fluent text, little knowledge"
        warnings.warn(f"{model.name}: {measured['warning']}", stacklevel=1)
