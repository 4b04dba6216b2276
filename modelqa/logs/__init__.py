"""What a trainer wrote down, and what is wrong with it. Standard library only.

    from modelqa.logs import read_log, course
    log = read_log(Path("checkpoints/my-sft/trainer_state.json"))     # or a .jsonl, .jsonl.zst or .csv
    print(log.series("loss"), course.finite_problems(log))

`reading` turns the three formats into one value, `course` asks how the losses ran, `continuity` whether the log is
whole, `coverage` how often the data was seen, `recipes` what two recipes differ in.
"""

from modelqa.logs.reading import Entry, Log, read_log

__all__ = ["Entry", "Log", "read_log"]
