"""The licence identifiers that the Hub knows, and the ones that a LICENSE text declares itself to be."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files

_TEXTS = {  # the first words of common licence texts, as their authors published them
    "apache-2.0": r"Apache License\s+Version 2\.0",
    "mit": r"MIT License|Permission is hereby granted, free of charge, to any person obtaining a copy",
    "gpl-3.0": r"GNU GENERAL PUBLIC LICENSE\s+Version 3",
    "gpl-2.0": r"GNU GENERAL PUBLIC LICENSE\s+Version 2",
    "agpl-3.0": r"GNU AFFERO GENERAL PUBLIC LICENSE\s+Version 3",
    "lgpl-3.0": r"GNU LESSER GENERAL PUBLIC LICENSE\s+Version 3",
    "mpl-2.0": r"Mozilla Public License Version 2\.0",
    "cc0-1.0": r"CC0 1\.0 Universal",
    "cc-by-4.0": r"Creative Commons Attribution 4\.0 International",
    "cc-by-sa-4.0": r"Creative Commons Attribution-ShareAlike 4\.0",
    "cc-by-nc-4.0": r"Creative Commons Attribution-NonCommercial 4\.0",
    "unlicense": r"This is free and unencumbered software released into the public domain",
}


@lru_cache(maxsize=1)
def known() -> frozenset[str]:
    """The identifiers of the Hub's own list."""
    lines = (files(__package__) / "licences.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def licence_of(text: str) -> str:
    """The identifier of a common licence's text; "" when it is none of them."""
    head = text[:4000]
    return next((name for name, pattern in _TEXTS.items() if re.search(pattern, head)), "")
