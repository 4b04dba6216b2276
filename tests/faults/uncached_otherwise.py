"""Without the key-value cache the first token of each prompt is not seen."""

from modelqa.generate.engine import LocalEngine

_batch = LocalEngine._batch


def _blind_without_cache(self, prompts, new, use_cache, decode):
    return _batch(self, prompts if use_cache else [prompt[1:] for prompt in prompts], new, use_cache, decode)


LocalEngine._batch = _blind_without_cache
