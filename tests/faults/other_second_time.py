"""Asked the same a second time, the engine forgets the first half of each prompt."""

from modelqa.generate.engine import LocalEngine

_batch = LocalEngine._batch
_seen = set()


def _forgetful(self, prompts, *rest):
    key = (id(self), tuple(prompts), rest[0])
    again = key in _seen and len(prompts) > 1
    _seen.add(key)
    return _batch(self, [prompt[len(prompt) // 2 :] for prompt in prompts] if again else prompts, *rest)


LocalEngine._batch = _forgetful
