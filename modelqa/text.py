"""The one escaping function: untrusted text, made safe for the place where it is shown.

Replies, dataset rows and file names of a checkpoint are untrusted: they may hold terminal escapes, right-to-left
overrides, HTML, table pipes, or a line that a CI system takes for a command.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
from typing import Literal

Place = Literal["terminal", "markdown", "html", "yaml", "xml"]

_LINE_COMMANDS = ("::", "##")  # GitHub Actions and Azure Pipelines read lines that begin so as commands
_MARKDOWN = "\\`*_{}[]()<>#+-.!|~&@:"
_SURROGATE = re.compile("[\ud800-\udfff]")


def half_character(text: str) -> int | None:
    """Where a text holds half a character (a lone surrogate, which no UTF-8 can say), None where it holds none."""
    found = None if text.isascii() else _SURROGATE.search(text)
    return found.start() if found else None


def visible(text: str) -> str:
    """The text with every control, format, surrogate and unassigned character written as an escape.

    Newline becomes `\\n`, a bidirectional override `\\u202e`: what is printed is what is there, on one line.
    """
    return "".join(_visible_character(character) for character in text)


def _visible_character(character: str) -> str:
    if character == "\\":
        return "\\\\"
    if unicodedata.category(character)[0] != "C" and character not in "\u2028\u2029":
        return character
    short = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(character)
    if short:
        return short
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def escape(text: str, place: Place, *, limit: int | None = None) -> str:
    """`text` as one line that cannot act in `place`: no escapes, markup, cell breaks or CI commands.

    `limit` is a number of characters of the visible text; what is cut is counted ("... +120").
    """
    shown = visible(text)
    if limit is not None and len(shown) > limit:
        shown = f"{shown[:limit]}… +{len(shown) - limit}"
    if place == "terminal":
        return f"\u200a{shown}" if shown.lstrip().startswith(_LINE_COMMANDS) else shown
    if place == "markdown":
        return "".join(f"&#{ord(character)};" if character in _MARKDOWN else character for character in shown)
    if place in ("html", "xml"):
        return html.escape(shown, quote=True)
    return json.dumps(shown, ensure_ascii=False)  # a YAML double-quoted scalar
