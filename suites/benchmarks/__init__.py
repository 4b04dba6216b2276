"""Beside others: fixed prompts to be read."""
