"""Rung 7: beside others: results of other harnesses, and fixed prompts to be read."""
