"""Every prompt begins with its first token twice."""

from modelqa.generate.engine import LocalEngine

_batch = LocalEngine._batch
LocalEngine._batch = lambda self, prompts, *rest: _batch(self, [(prompt[0], *prompt) for prompt in prompts], *rest)
