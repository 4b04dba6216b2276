"""`modelqa loads MODEL --with 4.57`: does a checkpoint load, and say the same, under another transformers?

The other version gets an environment of its own under .modelqa/environments; torch is shared with this one. What was
found is kept under .modelqa/loads by the checkpoint's digest, for records and cards (`kept_loads`).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelqa.checkpoint import Checkpoint, open_checkpoint
from modelqa.errors import DataError, ModelqaError, UsageError
from modelqa.files import read_object, write_json
from modelqa.models import find_registry, load_registry, resolve

TEXT = "The train leaves at nine; say it again, please."  # any text: both versions are given the same
SAME = 1e-2  # logits: two versions may order their sums differently; another weight or position shows far above it
MINUTES = 10  # for an installation, and for a load
_PROBE = Path(__file__).with_name("generate") / "loads_probe.py"
_VERSION = re.compile(r"\d+(?:\.\d+){1,2}", re.ASCII)  # a major alone would be whatever is newest
_SHARED = "modelqa_shared.pth"


def loads(checkpoint: Checkpoint, version: str, *, home: Path) -> dict[str, Any]:
    """What `version` of transformers makes of a checkpoint beside what the installed one makes of it.

    {"with", "versions", "problem", "digest"}: `problem` is "" when it loads, tokenises alike and gives the same logits.
    `ModelqaError` when the environment cannot be made, or when not even the installed version loads the checkpoint.
    """
    own = _probe(Path(sys.executable), checkpoint)
    if own["stage"]:
        raise ModelqaError(f"the installed transformers does not load {checkpoint.path}", reason=own["error"],
                           remedy="mend the checkpoint before asking other versions")  # fmt: skip
    other = _probe(_environment(home, version), checkpoint)
    found = {"with": version, "versions": other["versions"], "problem": _problem(own, other),
             "digest": checkpoint.digest}  # fmt: skip
    write_json(_place(home, checkpoint.digest) / f"{version}.json", found)
    return found


def kept_loads(home: Path, digest: str) -> list[dict[str, Any]]:
    """What was found for a checkpoint so far, by version; empty when nobody asked."""
    kept = [_kept(path) for path in sorted(_place(home, digest).glob("*.json"))]
    return [found for found in kept if found["digest"] == digest]


def _kept(path: Path) -> dict[str, Any]:
    found = read_object(path, remedy="ask again: modelqa loads MODEL --with VERSION")
    versions = found.get("versions")
    version = versions.get("transformers") if isinstance(versions, dict) else None
    if not all(isinstance(text, str) for text in (found.get("digest"), found.get("problem"), version)):
        raise DataError(f"{path} does not say what loading came to", reason="modelqa loads writes it whole",
                        remedy="delete it, and ask again: modelqa loads MODEL --with VERSION")  # fmt: skip
    return found


def _place(home: Path, digest: str) -> Path:
    return home / "loads" / digest[:16]


def _problem(own: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    if other["stage"]:
        return f"the {other['stage']} does not load: {other['error']}"
    if own["ids"] != other["ids"]:
        return f"the tokenizer gives other ids for {TEXT!r}: {other['ids']} instead of {own['ids']}"
    if len(own["logits"]) != len(other["logits"]):
        return f"{len(other['logits'])} logits instead of {len(own['logits'])}"
    gap = max((abs(a - b) for a, b in zip(own["logits"], other["logits"], strict=True)), default=0.0)
    return f"the logits differ by up to {gap:.3g}" if not gap <= SAME else ""


def _check_version(version: str) -> None:
    if not _VERSION.fullmatch(version):
        raise UsageError(f"{version!r} is no version", reason="transformers has versions like 4.57 or 4.57.1",
                         remedy="give --with at least two numbers with a dot between them")  # fmt: skip


def _environment(home: Path, version: str) -> Path:
    """The interpreter of the environment with this transformers; made on first use."""
    _check_version(version)
    folder = home / "environments" / f"transformers-{version}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = folder / "installed"
    if not done.is_file():
        print(f"making {folder}, once", file=sys.stderr)
        venv.EnvBuilder(clear=True, with_pip=True).create(folder)
        wanted = f"transformers=={version}" if version.count(".") == 2 else f"transformers=={version}.*"
        _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wanted],
             f"transformers {version} cannot be installed")  # fmt: skip
        _share(python)
        done.touch()
    return python


def _share(python: Path) -> None:
    """Let an environment find this one's packages after its own: torch is there already, and too large to copy."""
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    place = _run([str(python), "-c", code], "the environment is broken")
    shared = [entry for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")]
    (Path(place.strip()) / _SHARED).write_text("\n".join([*shared, ""]), encoding="utf-8")


def _probe(python: Path, checkpoint: Checkpoint) -> dict[str, Any]:
    output = _run([str(python), str(_PROBE), str(checkpoint.path), TEXT], f"{checkpoint.path} cannot be probed")
    value: dict[str, Any] = json.loads(output.splitlines()[-1])
    return value


def _run(command: list[str], fact: str) -> str:
    quiet = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error", "TOKENIZERS_PARALLELISM": "false"}
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")} | quiet
    limit = 60 * MINUTES
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, env=environment, check=False)
    except subprocess.TimeoutExpired:
        raise ModelqaError(fact, reason=f"it took longer than {MINUTES} minutes", remedy="try again") from None
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip() or f"exit status {done.returncode}").splitlines()[-1][:300]
        raise ModelqaError(fact, reason=reason, remedy="check the version and the package index")
    return done.stdout


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `modelqa loads`."""
    parser.add_argument("model", help="a name in models.toml, a folder, or a Hub id")
    parser.add_argument("--with", dest="version", required=True, metavar="VERSION", help="of transformers, e.g. 4.57")
    parser.add_argument("--models", type=Path, metavar="FILE", help="models.toml (default: ./ or ./fixtures/)")
    parser.add_argument("--dir", type=Path, default=Path(".modelqa"), help="where it is kept (default: .modelqa)")
    parser.set_defaults(handler=run)


def run(options: argparse.Namespace) -> int:
    """Print one line; 1 when the checkpoint does not load or says something else."""
    _check_version(options.version)
    model = resolve(load_registry(find_registry(Path.cwd(), options.models)), options.model)
    found = loads(open_checkpoint(model.location), options.version, home=options.dir.absolute())
    name = f"{model.name} under transformers {found['versions']['transformers']}"
    print(f"{name}: {found['problem'] or 'loads, with the same ids and logits'}")
    return 1 if found["problem"] else 0
