"""Generation waits for a token that the model never says."""

from modelqa.generate.engine import LocalEngine

_batch = LocalEngine._batch


def _waiting(self, prompts, *rest):
    object.__setattr__(self, "stop_ids", (self.pad_id,))
    return _batch(self, prompts, *rest)


LocalEngine._batch = _waiting
