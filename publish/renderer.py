"""What renders cards here, as a value: a card names it, and `modelqa verify` renders again what the same one made."""

from __future__ import annotations

from pathlib import Path

from modelqa import __version__, text
from modelqa.files import sha256_file, sha256_text

from . import card, metadata, numbers


def renderer() -> dict[str, str]:
    """{version, sha256 of the template and of the code that fills it}.

    The same renderer makes the same bytes of the same report and words; another one may lay them out differently.
    """
    modules = (card, metadata, numbers, text)
    sources = [card.CARDS / card.TEMPLATE, *(Path(module.__file__ or "") for module in modules)]
    return {"version": __version__, "sha256": sha256_text("".join(map(sha256_file, sources)))}
