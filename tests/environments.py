"""Interpreters that have a published wheel of another project: each in an environment of its own, made on first use."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from filelock import FileLock

from modelqa.loads import _share

HOME = Path(__file__).parents[1] / ".modelqa" / "environments"


def interpreter_with(wheel: str) -> Path:
    """An interpreter that has `wheel` ("name==version"): this one when it does; skips where it cannot be installed."""
    if importlib.util.find_spec(wheel.partition("==")[0]):
        return Path(sys.executable)
    environment = HOME / wheel.replace("==", "-")
    found = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    HOME.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{environment}.lock"):
        if not (environment / "installed").is_file():
            venv.EnvBuilder(clear=True).create(environment)
            _share(found)
            command = [str(found), "-m", "pip", "install", "--quiet", wheel]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"{wheel} cannot be installed here: {done.stderr.strip().splitlines()[-1][:200]}")
            (environment / "installed").touch()
    return found
