"""Mutants: defective siblings of a checkpoint, made by surgery in seconds, and what the gates say of them.

    modelqa mutants --model M              every kind, and the kill matrix (mutants x gates)
    modelqa mutants --model M --sensitivity   noise of growing strength: where does each gate begin to see it?

`kind` says what a kind declares, `weights`, `rows`, `chat_files` and `files` hold the kinds, `tensors` and
`places` are the surgery,
`trial` stages a copy and runs the suites on it, `judging` climbs the ladder, `matrix` decides, `picture` draws.
"""
