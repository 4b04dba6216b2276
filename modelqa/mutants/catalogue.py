"""All kinds of mutants, by name."""

from __future__ import annotations

from collections.abc import Sequence

from modelqa.errors import UsageError
from modelqa.models import nearest
from modelqa.mutants.adapters import ADAPTERS
from modelqa.mutants.captures import CAPTURES
from modelqa.mutants.chat_files import CHAT
from modelqa.mutants.data_rows import DATA_ROWS
from modelqa.mutants.datasets import DATA
from modelqa.mutants.files import FILES
from modelqa.mutants.kind import Kind
from modelqa.mutants.logs import LOGS
from modelqa.mutants.parities import PARITIES
from modelqa.mutants.results import RESULTS
from modelqa.mutants.rows import ROWS
from modelqa.mutants.suites import BARS, SUITES
from modelqa.mutants.weights import WEIGHTS

KINDS: tuple[Kind, ...] = (
    *FILES, *WEIGHTS, *ROWS, *ADAPTERS, *CHAT, *DATA, *DATA_ROWS, *LOGS, *CAPTURES, *PARITIES, *RESULTS, *SUITES,
    *BARS,
)  # fmt: skip


def chosen(names: Sequence[str]) -> list[Kind]:
    """The kinds of these names or areas, all when there are none; `UsageError` gives the nearest names."""
    if not names:
        return list(KINDS)
    known = {kind.name for kind in KINDS} | {kind.area for kind in KINDS}
    for name in names:
        if name not in known:
            raise UsageError(f"there is no kind of mutant named {name!r}",
                             reason=f"kinds are {', '.join(kind.name for kind in KINDS)}",
                             remedy=nearest(name, known) or "name one of them, or an area like weights")  # fmt: skip
    return [kind for kind in KINDS if kind.name in names or kind.area in names]
