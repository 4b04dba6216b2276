"""A checkpoint, opened without torch: its files by hash, its tensors by header, and what is wrong with it.

    from modelqa.checkpoint import open_checkpoint, tie_problems
    checkpoint = open_checkpoint("checkpoints/my-model")
    print(checkpoint.digest, tie_problems(checkpoint))

`folder` decides which files count, `header` reads safetensors headers, `tensors` streams values with numpy,
`ties`, `numbers` and `vocabulary` ask the questions of the weights rung, `hub` fetches a repository.
"""

from modelqa.checkpoint.header import TensorInfo
from modelqa.checkpoint.numbers import finite_problems
from modelqa.checkpoint.opening import Checkpoint, open_checkpoint
from modelqa.checkpoint.tensors import Statistics, read, statistics
from modelqa.checkpoint.ties import tie_problems
from modelqa.checkpoint.vocabulary import shape_problems, special_id_problems, vocabulary_problems

__all__ = [
    "Checkpoint",
    "Statistics",
    "TensorInfo",
    "finite_problems",
    "open_checkpoint",
    "read",
    "shape_problems",
    "special_id_problems",
    "statistics",
    "tie_problems",
    "vocabulary_problems",
]
