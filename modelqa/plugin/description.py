"""What the record says of the models and settings of a session, known before the first question."""

from __future__ import annotations

import importlib.metadata
from typing import Any

from modelqa.plugin.lab import Lab
from modelqa.plugin.versus import baseline_note
from modelqa.records import Stored

LIBRARIES = ("modelqa", "torch", "transformers", "tokenizers", "safetensors")


def describe(lab: Lab, phase: str) -> dict[str, Any]:
    """What the record says of the models and settings."""
    checkpoint, model = lab.candidate.checkpoint, lab.candidate.model
    lab.engines.require_askable(lab.candidate)
    lab.served("candidate")  # a template that renders nothing, or a server that does not, is refused here
    controls = {}
    for role in ("reference", "random", *lab.beside):
        subject = lab.subject(role)
        controls[role] = {"name": subject.model.name, **subject.identity}
        if lab.engines.server is not None:
            controls[role]["engine"] = "local" if lab.served(role) is None else "server"
    if isinstance(lab.baseline, Stored):
        controls["baseline"] = lab.baseline.identity
    notes = (
        []
        if model.declared
        else [f"{model.name} is not in models.toml: it declares no training data and cannot be released"]
    )
    if lab.settings.phase and lab.settings.phase != model.phase:
        notes.append(f"judged by the row of phase {phase!r}, which models.toml does not give it: blocks a release")
    notes += [*baseline_note(lab.settings, model), *lab.engines.notes()]
    return {
        "model": {
            "name": model.name,
            "declared": model.declared,
            "stage": model.stage,
            "phase": phase,
            "system": model.system,
            "fingerprint": checkpoint.fingerprint,
            "digest": checkpoint.digest,
            "weights_sha256": checkpoint.weights_digest,
            "template_sha256": lab.candidate.chat.template_sha256,
            "tokenizer_sha256": lab.candidate.chat.tokenizer_sha256,
            "stop_ids": list(lab.candidate.chat.stop_ids),
        },
        "controls": controls,
        "settings": {**_generation(lab), "case_seed": lab.settings.case_seed},
        "notes": notes,
    }


def _generation(lab: Lab) -> dict[str, Any]:
    return {
        **lab.engines.description(lab.candidate),
        "decoding": "greedy",
        "dtype": lab.settings.dtype,
        "device": lab.settings.device,
        "max_new_tokens": lab.settings.max_new_tokens,
        "versions": {name: importlib.metadata.version(name) for name in LIBRARIES},
    }
