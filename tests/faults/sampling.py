"""Replies are sampled, without a seed, although greedy ones were asked for."""

from modelqa.generate import loading

_load, _fresh = loading.load_model, loading.fresh_model


def _sample(model):
    generate = model.generate
    model.generate = lambda *args, **options: generate(*args, **{**options, "do_sample": True, "temperature": 1.0})
    return model


loading.load_model = lambda *args, **options: _sample(_load(*args, **options))
loading.fresh_model = lambda *args, **options: _sample(_fresh(*args, **options))
