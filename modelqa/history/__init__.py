"""All stored runs, and each gate of each model over time. `modelqa history` prints them.

The records are the truth. The database is derived from them, holds nothing of its own and may be deleted at any time:
it spares reading every record anew. How often weights were scored is counted in history.jsonl, by each run itself, and
stands in its record: deleting a record does not lower the count.
"""
