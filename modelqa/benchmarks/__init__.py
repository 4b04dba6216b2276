"""Benchmarks of others: their result files imported, and gates on what they say. Nothing is measured here.

`reading` tells whose files they are; `lm_eval`, `lighteval`, `inspect_log` and `table` read them; `result` is the
record; the other modules ask what the numbers can bear.
"""
