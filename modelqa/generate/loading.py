"""Checkpoint -> a torch model in eval mode that decodes greedily; every way to fail is one clear error."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from modelqa.checkpoint import Checkpoint
from modelqa.errors import CheckpointError, GenerationError, UsageError

DTYPES = ("float32", "bfloat16", "float16")
# What transformers raises, besides StrictDataclassError, for a config that contradicts the architecture or the file.
# The config is untrusted input: each is a defect of the checkpoint until shown otherwise, and stays attached.
_BAD_CONFIG = (OSError, ValueError, TypeError, KeyError, AttributeError, RuntimeError, ImportError, ZeroDivisionError)


def load_model(checkpoint: Checkpoint, *, dtype: str, device: str, threads: int) -> Any:
    """The checkpoint's causal language model on `device`, from safetensors only.

    `CheckpointError` when config and weights do not fit, or the file lacks tensors that a loader would make up.
    """
    with _quiet(), _explained(checkpoint):
        model, report = library().AutoModelForCausalLM.from_pretrained(
            checkpoint.path,
            dtype=torch_dtype(dtype),
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=checkpoint.trust_remote_code,
            output_loading_info=True,
        )
    _refuse_made_up(checkpoint, report)
    return _ready(model, device, threads)


def fresh_model(checkpoint: Checkpoint, *, seed: int, dtype: str, device: str, threads: int) -> Any:
    """A model of the checkpoint's config with newly drawn weights; the same seed gives the same weights."""
    import torch

    with _quiet(), _explained(checkpoint), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = library().AutoConfig.from_pretrained(
            checkpoint.path, local_files_only=True, trust_remote_code=checkpoint.trust_remote_code
        )
        model = library().AutoModelForCausalLM.from_config(
            config, dtype=torch_dtype(dtype), trust_remote_code=checkpoint.trust_remote_code
        )
    return _ready(model, device, threads)


def library() -> Any:
    """The transformers module, imported at the first call; as `Any`, for it is annotated only in parts."""
    import transformers

    return transformers


def torch_dtype(name: str) -> Any:
    """torch's dtype of that name; `UsageError` for one that generation does not offer."""
    import torch

    if name not in DTYPES:
        raise UsageError(
            f"there is no dtype {name!r}",
            reason="generation runs in a floating-point type",
            remedy=f"use {', '.join(DTYPES)}",
        )
    return getattr(torch, name)


def position_limit(model: Any) -> int | None:
    """How many positions the model was built for; None when its config does not say."""
    config = model.config.get_text_config()
    for key in ("max_position_embeddings", "n_positions", "max_seq_len"):
        value = getattr(config, key, None)
        if type(value) is int and value > 0:
            return value
    return None


def _ready(model: Any, device: str, threads: int) -> Any:
    import torch

    if torch.device(device).type == "cpu":
        # One thread: models of this size gain nothing from a second one, OpenMP's spinning made them 6 to 40 times
        # slower where workers share cores, and sums do not depend on the number of cores.
        torch.set_num_threads(threads)
    # The checkpoint's own sampling defaults would fill every option that a call leaves unset.
    model.generation_config = library().GenerationConfig()
    try:
        return model.to(device).eval()
    except (RuntimeError, AssertionError) as error:  # AssertionError: torch was built without that device
        raise GenerationError(
            f"the model cannot be put on {device!r}", reason=str(error).splitlines()[0],
            remedy="use device='cpu', or a device with enough free memory",
        ) from error  # fmt: skip


def _refuse_made_up(checkpoint: Checkpoint, report: dict[str, Any]) -> None:
    kinds = ("missing_keys", "mismatched_keys", "error_msgs")
    wrong = sorted(str(entry) for kind in kinds for entry in report.get(kind) or ())
    if wrong:
        raise CheckpointError(
            f"{checkpoint.path} lacks {len(wrong)} tensors of its architecture, or has other shapes: {wrong[0]}",
            reason="a loader fills them with random numbers, and the replies would not be this model's",
            remedy="save the whole model again, and check that config.json is the one it was trained with",
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """transformers' progress bar and load report off; what they would say is raised as an error instead."""
    transformers_logging = library().utils.logging
    had_bar = transformers_logging.is_progress_bar_enabled()
    level = transformers_logging.get_verbosity()
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        transformers_logging.set_verbosity(level)
        if had_bar:
            transformers_logging.enable_progress_bar()


@contextmanager
def _explained(checkpoint: Checkpoint) -> Iterator[None]:
    from huggingface_hub.errors import StrictDataclassError

    try:
        yield
    except MemoryError as error:
        raise out_of_memory(error) from error
    except (*_BAD_CONFIG, StrictDataclassError) as error:
        if is_out_of_memory(error):
            raise out_of_memory(error) from error
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise CheckpointError(
            f"{checkpoint.path} cannot be loaded",
            reason=f"{type(error).__name__}: {first_line}",
            remedy="check that config.json fits the weights, and that this transformers knows the model_type",
        ) from error


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of torch says that memory ran out, on CPU or on a device."""
    import torch

    texts = ("out of memory", "can't allocate memory", "not enough memory")
    told = any(text in str(error).lower() for text in texts)
    return told or isinstance(error, MemoryError | torch.OutOfMemoryError)


def out_of_memory(error: BaseException) -> GenerationError:
    """The error to raise when memory ran out."""
    return GenerationError(
        "there is not enough memory for this model and batch",
        reason=(str(error).strip() or "no memory left").splitlines()[0],
        remedy="use a smaller batch size, fewer new tokens, dtype='bfloat16', or a machine with more memory",
    )
