"""A prompt that is asked alone loses its first half."""

from modelqa.generate.engine import LocalEngine

_batch = LocalEngine._batch
LocalEngine._batch = lambda self, prompts, *rest: _batch(
    self, [prompts[0][len(prompts[0]) // 2 :]] if len(prompts) == 1 else prompts, *rest
)
