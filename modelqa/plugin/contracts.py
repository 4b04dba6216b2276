"""The data suites of a session: judged once per dataset, kept by content; a repeat imports no great_expectations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from modelqa.data import evidence
from modelqa.data.suite import Result, judged_by, read_suite
from modelqa.gates import Case
from modelqa.models import ancestors
from modelqa.plugin.lab import Lab


@dataclass
class DataSuites:
    """The results of the JSON suites in a folder, on the candidate's data and the evaluation cases of this run."""

    lab: Lab
    cases: Iterable[Case]
    _judged: dict[Path, dict[str, Result]] = field(default_factory=dict)

    @cached_property
    def sources(self) -> evidence.Sources:
        """What models.toml declares of the candidate's data."""
        model = self.lab.candidate.model
        parents = ancestors(self.lab.registry, model)
        candidate = self.lab.candidate
        limit = candidate.checkpoint.text_config.get("max_position_embeddings")
        return evidence.sources(
            model,
            parents,
            self.cases,
            chat=candidate.chat,
            categories=model.categories or None,
            context=limit if isinstance(limit, int) else None,
        )

    def results(self, path: Path) -> dict[str, Result]:
        """{expectation id: result} of the suite in a JSON file."""
        if path not in self._judged:
            suite = read_suite(path)
            identity = judged_by(suite, evidence=self.sources.digest)
            kept = self.lab.kept(identity, lambda: [r.to_json() for r in evidence.judge(suite, self.sources)])
            self._judged[path] = {row["id"]: Result.from_json(row) for row in kept}
        return self._judged[path]
