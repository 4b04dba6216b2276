"""Untrusted text cannot act where it is shown."""

from __future__ import annotations

import html
import json
import re
import xml.etree.ElementTree as ElementTree

import pytest

from modelqa.text import escape, visible

HOSTILE = [
    "\x1b[31mred\x1b]8;;http://x\x07",
    "a\u202eb\u2066c",
    "::error file=x::boom",
    "  ##vso[task.setvariable]x",
    "| cell | break |",
    "```\n</details><script>alert(1)</script>",
    "---\nlicense: x",
    "@everyone http://x.example [a](b)",
    "\ud800 lone",
    "a\u2028b\u0085c\rd",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_shown_text_is_one_line_of_printable_characters(text: str) -> None:
    shown = visible(text)
    assert shown.isprintable() or "\u00a0" in shown
    assert len(shown.splitlines()) == 1


@pytest.mark.parametrize("text", HOSTILE)
def test_a_ci_log_takes_no_line_for_a_command(text: str) -> None:
    assert (
        not re.match(r"\s*(::|##)", escape(text, "terminal").lstrip("\n ")) or escape(text, "terminal")[0] == "\u200a"
    )
    assert not escape("::error::x", "terminal").startswith("::")


@pytest.mark.parametrize("text", HOSTILE)
def test_html_and_xml_hold_it_as_text(text: str) -> None:
    assert html.unescape(escape(text, "html")) == visible(text)
    assert "<" not in escape(text, "html")
    assert ElementTree.fromstring(f'<a b="{escape(text, "xml")}"/>').get("b") == visible(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_yaml_reads_it_back(text: str) -> None:
    assert json.loads(escape(text, "yaml")) == visible(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_has_no_character_that_means_anything(text: str) -> None:
    shown = escape(text, "markdown")
    assert not set(re.sub(r"&#\d+;", "", shown)) & set("`*_[]()<>#|~@\\")
    assert html.unescape(shown) == visible(text)


def test_different_texts_stay_different() -> None:
    assert visible("\\n") != visible("\n")


def test_what_is_cut_is_counted() -> None:
    assert escape("x" * 100, "terminal", limit=10) == "x" * 10 + "… +90"
