"""Without the key-value cache the first half of each prompt is not seen."""

from modelqa.generate.engine import LocalEngine

_batch = LocalEngine._batch


def _blind_without_cache(self, prompts, new, use_cache, decode):
    seen = prompts if use_cache else [prompt[len(prompt) // 2 :] for prompt in prompts]
    return _batch(self, seen, new, use_cache, decode)


LocalEngine._batch = _blind_without_cache
