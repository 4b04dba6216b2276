"""Which code computed a value: a kept value of other code is never read."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from modelqa.files import canonical_json, sha256_text

PACKAGE = Path(__file__).parents[1]


@cache
def own_digest() -> str:
    """Hex sha256 of modelqa's own sources."""
    return _digest(PACKAGE)


@cache
def suite_digest(folder: Path) -> str:
    """Hex sha256 of all Python files of the suite that `folder` belongs to: of its topmost package or conftest."""
    top = folder
    while any((top.parent / name).is_file() for name in ("__init__.py", "conftest.py")):
        top = top.parent
    return _digest(top)


def _digest(root: Path) -> str:
    files = {str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in root.rglob("*.py")}
    return sha256_text(canonical_json(files))
