"""Steps side by side: each runs in a process of its own as soon as what it needs is done.

Training uses one thread (`stage.one_thread`), so two cores are used by two steps at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from typing import TypeVar

from modelqa.training.recipe import Recipes

Step = tuple[str, str]  # (what is made: "tokenizer", "data" or "stage"; its name)
Finished = TypeVar("Finished")


def steps(recipes: Recipes, stages: Sequence[str]) -> dict[Step, frozenset[Step]]:
    """What has to be made for these stages, each with what it waits for; a parent not among them is there already.

    In the order in which steps that could run at once are begun.
    """
    made: dict[Step, frozenset[Step]] = {}
    for stage in (recipes.stages[name] for name in stages):
        tokenizer, data = ("tokenizer", stage.vocabulary), ("data", stage.folder)
        parents: set[Step] = {("stage", stage.parent)} if stage.parent and stage.parent in stages else set()
        made |= {tokenizer: frozenset(), data: frozenset({tokenizer})}
        made[("stage", stage.name)] = frozenset({tokenizer, data} | parents)
    return made


def run_side_by_side(
    needs: Mapping[Step, frozenset[Step]], run: Callable[[Step], Finished], *, jobs: int,
    done: Callable[[Step, Finished], None],
) -> None:
    """Call `run(step)` for every step, at most `jobs` at a time, each after all that it needs; `done` is told of each.

    The first error stops the steps that have not begun and is raised. `run` must be importable by another process.
    """
    waiting, running, finished = dict(needs), dict[Future[Finished], Step](), set[Step]()
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        while waiting or running:
            for step in [step for step, wanted in waiting.items() if wanted <= finished][: jobs - len(running)]:
                del waiting[step]
                running[pool.submit(run, step)] = step
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                done(running[future], future.result())
                finished.add(running.pop(future))
