"""How the fixtures are trained: tokenizer, base corpus, recipes, the Trainer stages and the development scores.

Needs the extra `train` (accelerate). Nothing here is imported by the gates; run `python -m modelqa.training.build`.
"""
