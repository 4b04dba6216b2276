"""The import law: every module has a place, imports run one way, and heavy libraries load only where they are used."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "modelqa"
PUBLISHER = ROOT / "publish"  # mapped into the package by the build, as modelqa.publish

# A module may import from its own layer's left: layers in order, each a set of first path components of modelqa.
LAYERS: list[set[str]] = [
    {"errors"},
    {"frames"},
    {"files", "text", "likeness", "wording", "phrases", "typed"},
    {"record", "reply", "family", "plots"},
    {"stats", "models", "checkpoint", "form", "logs", "reasons"},
    {"chat"},
    {"ask", "nulls", "gates", "phases"},
    {"judge", "degeneration", "generate", "records", "thresholds"},
    {"parity", "content", "language", "noise"},
    {"data"},
    {"trainable", "training"},
    {"preflight", "benchmarks", "choice", "diagnose", "scaling", "loads"},
    {"compare", "history"},
    {"publish"},
    {"plugin"},
    {"mutants", "by_hand", "tasks"},
    {"handbook"},
    {"cli"},
    {"help_page"},
    {"__main__", ""},
]
PLACE = {name: number for number, layer in enumerate(LAYERS) for name in layer}
HEAVY = {"torch", "transformers", "great_expectations", "pandas", "scipy", "accelerate"}
TORCH_HOMES = {"generate", "training", "mutants"}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py")) + sorted(PUBLISHER.rglob("*.py"))


def part_of(path: Path) -> str:
    if path.is_relative_to(PUBLISHER):
        return "publish" if path.name != "__main__.py" else "__main__"
    first = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "" if first == "__init__" else first


def imports(path: Path) -> list[tuple[str, bool]]:
    """(module, whether at import time) of every import that runs; those for type checkers alone are left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = []
    lazy = {
        child
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for child in ast.walk(function)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node not in lazy) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:  # the checker of types knows publish/ under its folder's name only
                assert node.level == 1 and path.is_relative_to(PUBLISHER), f"{path}: relative import"
                continue
            found += [(name, node not in lazy) for name in named(node)]
    return found


def named(node: ast.ImportFrom) -> list[str]:
    """The modules that a `from ... import` names: the parts of the package, else what stands after `from`."""
    full = [f"{node.module}.{alias.name}" for alias in node.names]
    return [name if node.module == "modelqa" or name in MODULES else str(node.module) for name in full]


def module_name(path: Path) -> str:
    return ".".join(("modelqa", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


MODULES = {module_name(path): path for path in PACKAGE.rglob("*.py")}


def test_no_module_needs_itself_by_way_of_another() -> None:
    needs = {name: {target for target, _ in imports(path)} & MODULES.keys() for name, path in MODULES.items()}
    try:
        graphlib.TopologicalSorter(needs).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    part = part_of(path)
    assert part in PLACE, f"modelqa.{part} has no place in the import law: add it to LAYERS"
    for name, _ in imports(path):
        if name.split(".")[0] != "modelqa" or part == "":
            continue
        target = name.split(".")[1] if "." in name else ""
        lower = target in PLACE and PLACE[target] < PLACE[part]
        allowed = name == "modelqa" or target.startswith("__") or target == part or lower
        assert allowed, f"modelqa.{part} (layer {PLACE[part]}) imports {name}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_torch_is_imported_only_where_models_run(path: Path) -> None:
    used = {name.split(".")[0] for name, _ in imports(path)}
    assert "torch" not in used or part_of(path) in TORCH_HOMES


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_outgrows_its_job(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 330


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(' '.join(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize(
    "statement",
    [
        "import modelqa, modelqa.cli, modelqa.plugin",
        "from modelqa import gate, Case, ask, deny, parity",
        "import modelqa.plugin.active, modelqa.generate, modelqa.data, modelqa.chat, modelqa.checkpoint",
        "import modelqa.record, modelqa.judge, modelqa.models",
        "import modelqa.publish.commands, modelqa.publish.stage",
    ],
)
def test_importing_modelqa_loads_nothing_heavy(statement: str) -> None:
    assert not loaded_by(statement) & HEAVY


def test_the_plugin_alone_loads_no_module_of_modelqa_but_itself() -> None:
    code = "import modelqa.plugin, sys; print([m for m in sys.modules if m.startswith('modelqa.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['modelqa.plugin']"


def test_the_build_knows_every_package() -> None:
    mapped = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    found = {".".join(path.parent.relative_to(ROOT).parts) for path in PACKAGE.rglob("__init__.py")}
    assert {name for name in mapped["packages"] if name not in mapped["package-dir"]} | {"modelqa"} == found
    assert all((ROOT / folder).is_dir() for folder in mapped["package-dir"].values())
