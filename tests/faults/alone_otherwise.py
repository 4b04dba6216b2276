"""A prompt that is asked alone loses its first token."""

from modelqa.generate.engine import LocalEngine

_batch = LocalEngine._batch
LocalEngine._batch = lambda self, prompts, *rest: _batch(
    self, [prompts[0][1:]] if len(prompts) == 1 else prompts, *rest
)
