"""What one version of transformers makes of a checkpoint. Runs alone, in another environment: imports no modelqa.

python loads_probe.py FOLDER TEXT  ->  one line of JSON: versions, ids of TEXT, the logits after it, or where it failed
"""

from __future__ import annotations

import json
import sys
from typing import Any


def probe(folder: str, text: str) -> dict[str, Any]:
    """{"versions", "stage", "error", "ids", "logits"}; `stage` is what failed, "" when nothing did."""
    import torch
    import transformers

    torch.set_num_threads(1)
    found: dict[str, Any] = {
        "versions": {"transformers": transformers.__version__, "torch": str(torch.__version__)},
        "stage": "tokenizer", "error": "", "ids": [], "logits": [],
    }  # fmt: skip
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        found["ids"] = tokenizer(text, add_special_tokens=False)["input_ids"]
        found["stage"] = "weights"
        model: Any = transformers.AutoModelForCausalLM.from_pretrained(
            folder, local_files_only=True, use_safetensors=True
        )
        found["stage"] = "forward"
        model = model.to(torch.float32).eval()
        with torch.no_grad():
            logits = model(torch.tensor([found["ids"]])).logits[0, -1]
        found["logits"] = [round(float(value), 5) for value in logits]
        found["stage"] = ""
    except Exception as error:  # whatever another version raises is the finding
        found["error"] = f"{type(error).__name__}: {error}"[:500]
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(probe(sys.argv[1], sys.argv[2])) + "\n")
