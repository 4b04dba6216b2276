"""The hooks of a session with `--model`: plan, ask once, judge gate by gate up the ladder, put the record together.

Every gate of a session is judged by one process, whatever `-n` says: the replies are made once, judging takes
milliseconds, and a rung can only be judged when the rungs below it are known. See docs/decisions/0001.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Generator, Sequence
from typing import Any

import pytest

from modelqa.errors import ModelqaError, UsageError, of_system
from modelqa.gates import LADDER
from modelqa.plugin import finish, fixtures
from modelqa.plugin.judging import Judged, Judging
from modelqa.plugin.keep import SessionFolder
from modelqa.plugin.lab import Lab
from modelqa.plugin.plan import compares, draw, plan, rung_of, spec_of
from modelqa.plugin.subject import LabSettings
from modelqa.record import GateResult, Status

RESULT = pytest.StashKey[GateResult]()
UID = "modelqa_uid"
DEFAULT_SHORT_SUMMARY = "fE"


def activate(config: pytest.Config) -> None:
    """Resolve the model and register the hooks; a user's mistake ends the session with its three lines."""
    worker = getattr(config, "workerinput", None)
    try:
        _refuse_blind_asserts(config)
        # Without an ini file pytest takes any path on the command line, the model's too, into account for its rootdir.
        root = config.rootpath if config.inipath else config.invocation_params.dir
        lab = Lab.open(LabSettings.from_options(config.getoption, root=root))
    except ModelqaError as error:
        raise pytest.UsageError(str(error)) from None
    except OSError as error:
        raise pytest.UsageError(str(of_system(error))) from None
    uid = worker[UID] if worker else uuid.uuid4().hex
    if config.option.reportchars == DEFAULT_SHORT_SUMMARY:
        config.option.reportchars = ""  # the closing table says it all, and should stand last
    config.pluginmanager.register(Active(config, lab, uid), "modelqa-active")
    config.pluginmanager.register(fixtures, "modelqa-fixtures")


def _refuse_blind_asserts(config: pytest.Config) -> None:
    if not __debug__ or config.getoption("assertmode") == "plain":
        raise UsageError(
            "asserts are switched off or plain",
            reason="gates say no with assert, and a failing one must show what it compared",
            remedy="run without python -O, PYTHONOPTIMIZE and --assert=plain",
        )


class Active:
    """The hooks, registered only when a model is named."""

    def __init__(self, config: pytest.Config, lab: Lab, uid: str) -> None:
        self.config = config
        self.lab = lab
        self.uid = uid
        self.folder = SessionFolder(lab.settings.home / "sessions" / uid)
        self.is_worker = hasattr(config, "workerinput")
        self.items: list[pytest.Item] = []
        self.deselected: list[str] = []
        self.judging: Judging | None = None
        self.problem: ModelqaError | None = None  # nothing can be judged
        self.speechless: ModelqaError | None = None  # no replies can be made; checks on files go on
        self.record: finish.Record | None = None
        self.started = time.time()

    # -- collection ----------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Put the items in ladder order and remember them all, before any selection."""
        items.sort(key=self._place)
        self.items = [item for item in items if self._is_ours(item)]

    def _place(self, item: pytest.Item) -> tuple[int, bool]:
        """A rung's gates come before what compares them with the baseline's."""
        rung = LADDER.index(rung_of(item.path) or "behaviour") if self._is_ours(item) else -1
        return rung, compares(item)

    def _is_ours(self, item: pytest.Item) -> bool:
        return rung_of(item.path) is not None or spec_of(item) is not None

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Remember what the selection left out: the record shows it as not run."""
        self.deselected += [item.nodeid for item in items if self._is_ours(item)]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Plan, and write the plan down, before the first item; without a plan no item runs, and the reason is told.

        In a worker every gate tells it: an exception or a loop that ends here would be an INTERNALERROR under xdist.
        """
        if self.config.option.collectonly or session.testsfailed or not self.items:
            return None
        try:
            self.judging = self._plan()
        except ModelqaError as error:
            self.problem = error
            if not self.is_worker:
                return True
        return None

    def _plan(self) -> Judging:
        settings = self.lab.settings
        planned, phases, phase = plan(self.items, settings.phase or self.lab.candidate.model.phase or None)
        cases = draw(planned, settings.case_seed, self.lab.kept)
        judging = Judging(self.lab, self.folder, planned, cases, phase, self.deselected, phases.first)
        judging.write_plan()
        return judging

    # -- one item ------------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """The first gate makes the replies; each later one finds them made, or fails with the reason."""
        if not self._is_ours(item):
            return
        if self.problem:
            pytest.fail(str(self.problem), pytrace=False)
        assert self.judging is not None
        if spec_of(item) is None:
            return
        if self.speechless is None:
            with self._terminal():
                try:
                    self.judging.asking.prepare()
                except ModelqaError as error:
                    self.speechless = error
        if self.speechless:
            pytest.fail(str(self.speechless), pytrace=False)

    def _terminal(self) -> Any:
        capture = self.config.pluginmanager.getplugin("capturemanager")
        return capture.global_and_fixture_disabled()

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        """Judge the item; PASS returns, everything else fails, skips (not asked) or shows the gate's own crash."""
        if not self._is_ours(pyfuncitem) or self.judging is None:
            return None
        judged, unkept = self._judged(pyfuncitem, self.judging)
        if judged is None:
            pytest.fail(unkept, pytrace=False)
        pyfuncitem.stash[RESULT] = judged.result
        pyfuncitem.user_properties += finish.scalars(judged.result, self.lab)
        if judged.crash is not None:
            raise judged.crash
        status = judged.result.verdict.status
        if status is Status.NOT_ASKED:
            pytest.skip(judged.result.verdict.text)
        if status is not Status.PASS:
            pytest.fail(judged.message, pytrace=False)
        return True

    def _judged(self, item: pytest.Function, judging: Judging) -> tuple[Judged | None, str]:
        """(the judged item, ""); (None, why) when it cannot be kept: the record will show the gate as not run."""
        try:
            return judging.judge(item), ""
        except ModelqaError as error:
            return None, str(error)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """A crash of the gate's code stays a failure even under xfail; an interrupted item leaves no result."""
        report = yield
        result = item.stash.get(RESULT, None)
        if result and call.when == "call" and result.verdict.code == "crashed" and report.outcome == "skipped":
            report.outcome = "failed"
            report.longrepr = str(call.excinfo.getrepr()) if call.excinfo else ""
        return report

    # -- the end -------------------------------------------------------------------------------------------------

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """The controller alone writes the record and sets the exit status."""
        if self.is_worker or self.config.option.collectonly:
            return
        try:
            self.record = finish.write_record(self.lab, self.folder, self.started)
        except ModelqaError as error:
            self.problem = error
        if self.record:
            session.exitstatus = finish.exit_status(self.record.run, int(session.exitstatus))
        elif self.problem:
            session.exitstatus = finish.INCONCLUSIVE

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """The closing table, the reasons in order, the record's path."""
        if self.is_worker or self.config.option.collectonly:
            return
        finish.print_summary(terminalreporter, self.record, self.lab, self.problem)

    # -- xdist ---------------------------------------------------------------------------------------------------

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell each worker which session it belongs to."""
        node.workerinput[UID] = self.uid

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """All gates go to one worker, in order; a `--dist` of the user's has no use here."""
        from modelqa.plugin.scheduling import OneScope

        return OneScope(config, log)
