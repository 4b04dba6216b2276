"""How well does the model predict a fixed text? Bits per byte and perplexity, with the text's hash; printed, not gated.

Perplexities compare on one text and one tokenizer only, bits per byte on one text whatever the tokenizer: so both stand
in the record with the hashes of what they were measured on.
"""

from pathlib import Path

from modelqa import Problem, benchmarks, deny, not_asked, parity
from modelqa.files import sha256_text

TEXT = Path(__file__).parents[1] / "harness" / "text.txt"
# of the text: with another one, numbers of earlier records no longer compare
SHA256 = "ef653771e062da6a001ad82c128f0f1294139bc04a64f2aaf58c55e1362c9170"


def test_fixed_text(lab, chat, checkpoint, measured):
    """The text is the one that earlier records were measured on, and its measure is a number."""
    text = TEXT.read_text(encoding="utf-8")
    if sha256_text(text) != SHA256:
        deny([Problem("benchmarks.other_text", TEXT.name, "the fixed text was changed: state its new hash beside it")])
    tokens = len(chat.tokens.encode(text).ids) - 1  # the first one is given
    size = len(text.encode("utf-8"))
    if tokens >= checkpoint.config.get("max_position_embeddings", tokens + 1):
        not_asked(f"the text has {tokens + 1} tokens, more than the model has positions")
    bits = lab.measure(parity.bits_per_byte, text)
    perplexity = benchmarks.per_token(bits, size=size, tokens=tokens)
    measured.update(bits_per_byte=round(bits, 4), perplexity=round(perplexity, 2), tokens=tokens, bytes=size)
    measured.update(text_sha256=SHA256, tokenizer_sha256=chat.tokenizer_sha256)
    measured["text"] = f"{bits:.3f} bits per byte, perplexity {perplexity:.1f} a token ({tokens} tokens)"
    assert 0.0 < bits < float("inf"), f"{bits} bits per byte"
