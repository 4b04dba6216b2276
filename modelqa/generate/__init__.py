"""Prompts -> replies. torch and transformers are imported when a model is loaded, not before.

    from modelqa.generate import LocalEngine
    engine = LocalEngine.open(checkpoint, stop_ids=chat.stop_ids, pad_id=chat.pad_id)
    for index, reply in engine.replies(prompts, max_new_tokens=64, decode=chat.decode):
        ...

`loading` makes models, `engine` asks them, `losses` scores given text, `random_twin` is the control that knows nothing,
`cache` keeps replies by content and needs no torch. `server` and `served` ask a model behind an OpenAI-compatible
server instead, and need none either.
"""

from modelqa.generate.cache import CacheWarning, ReplyCache, Setup, library_versions
from modelqa.generate.engine import LocalEngine, plan_batches
from modelqa.generate.losses import Loss
from modelqa.generate.random_twin import random_twin
from modelqa.generate.served import ServedEngine
from modelqa.generate.server import RefusedError, Server, ServerWarning

__all__ = [
    "CacheWarning",
    "LocalEngine",
    "Loss",
    "RefusedError",
    "ReplyCache",
    "ServedEngine",
    "Server",
    "ServerWarning",
    "Setup",
    "library_versions",
    "plan_batches",
    "random_twin",
]
