"""The floor: what any tool must at least do to ask the same models the same prompts. Plain transformers, no modelqa.

    python bench/floor.py PLAN.json

Imports torch, transformers and great_expectations, loads each model and generates greedily in batches of 32.
PLAN.json: {"max_new_tokens": n, "models": [{"path", "random", "stop_ids", "pad_id", "prompts": [[ids], ...]}]}.
"""

import json
import sys
from pathlib import Path

import great_expectations
import torch
import transformers

BATCH = 32

assert great_expectations
torch.set_num_threads(1)
plan = json.loads(Path(sys.argv[1]).read_text())
count = 0
for entry in plan["models"]:
    if entry["random"]:
        config = transformers.AutoConfig.from_pretrained(entry["path"])
        model = transformers.AutoModelForCausalLM.from_config(config)
    else:
        model = transformers.AutoModelForCausalLM.from_pretrained(entry["path"], dtype=torch.float32)
    model.eval()
    prompts = sorted(entry["prompts"], key=len)
    for start in range(0, len(prompts), BATCH):
        batch = prompts[start : start + BATCH]
        width = max(map(len, batch))
        ids = torch.tensor([[entry["pad_id"]] * (width - len(row)) + row for row in batch])
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in batch])
        made = model.generate(
            ids,
            attention_mask=mask,
            do_sample=False,
            max_new_tokens=plan["max_new_tokens"],
            eos_token_id=entry["stop_ids"],
            pad_token_id=entry["pad_id"],
        )
        count += len(made)
print(f"{count} replies")
