"""A checkpoint, opened without torch: its files by hash, its tensors by header, and what is wrong with it.

    from modelqa.checkpoint import open_checkpoint, tie_problems
    checkpoint = open_checkpoint("checkpoints/my-model")
    print(checkpoint.digest, tie_problems(checkpoint))

`folder` decides which files count, `header` reads safetensors headers, `tensors` streams values with numpy,
`ties`, `numbers`, `vocabulary`, `generation`, `layout`, `rows`, `architecture`, `change` and `merge` ask the questions
of the weights rung, `hub` fetches a repository.
"""

from modelqa.checkpoint.architecture import same_fields
from modelqa.checkpoint.change import change_problems, changes, id_map_problems
from modelqa.checkpoint.generation import generation_problems
from modelqa.checkpoint.header import TensorInfo
from modelqa.checkpoint.layout import dtype_problems, key_problems
from modelqa.checkpoint.merge import Adapter, merge_problems, open_adapter
from modelqa.checkpoint.numbers import finite_problems
from modelqa.checkpoint.opening import Checkpoint, fingerprint_digest, open_checkpoint
from modelqa.checkpoint.rows import embedding_rows, row_problems, special_row_problems
from modelqa.checkpoint.tensors import Statistics, read, statistics
from modelqa.checkpoint.ties import tie_problems
from modelqa.checkpoint.vocabulary import (
    byte_ids,
    entries,
    shape_problems,
    special_id_problems,
    vocabulary_problems,
)

__all__ = [
    "Adapter",
    "Checkpoint",
    "Statistics",
    "TensorInfo",
    "byte_ids",
    "change_problems",
    "changes",
    "dtype_problems",
    "embedding_rows",
    "entries",
    "fingerprint_digest",
    "finite_problems",
    "generation_problems",
    "id_map_problems",
    "key_problems",
    "merge_problems",
    "open_adapter",
    "open_checkpoint",
    "read",
    "row_problems",
    "same_fields",
    "shape_problems",
    "special_id_problems",
    "special_row_problems",
    "statistics",
    "tie_problems",
    "vocabulary_problems",
]
