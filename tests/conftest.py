"""Test settings: helpers beside the tests are importable, and every process uses one thread."""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two workers on two cores: more would spin against each other
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each process compiles all modules anew
sys.path.insert(0, str(Path(__file__).parent))

pytest_plugins = ["pytester", "sessions"]
