"""Tasks of lm-evaluation-harness, asked through our engine: our template, tokens, decoding and kept replies.

`command` is `modelqa lm-eval`; `model` needs lm_eval itself (the extra modelqa[lm-eval]) and is loaded by the command.
"""
