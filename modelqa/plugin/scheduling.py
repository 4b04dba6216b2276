"""pytest-xdist's scheduling for a session with `--model`: one scope, hence one worker. Imports xdist: load on use."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]


class OneScope(LoadScopeScheduling):  # type: ignore[misc] # xdist's schedulers are untyped
    """Every item in one scope: judged in ladder order by one process; the other workers stay idle."""

    def _split_scope(self, nodeid: str) -> str:
        del nodeid
        return "modelqa"
