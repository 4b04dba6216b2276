"""Does the model still know the language that its base was taught? Fine-tuning on answers alone can unlearn it."""

from pathlib import Path

from modelqa import Problem, deny, language, no_evidence, not_asked, parity, unsettled
from modelqa.errors import DataError
from modelqa.files import sha256_text

TEXT = Path(__file__).with_name("primer.txt")  # plain English prose in short sentences, which every English base knows


def test_language(lab, model, chat, threshold, measured):
    """Of what the base knows of a fixed text beyond a guess, the share in phases.toml is kept (bits per byte)."""
    if model.stage == "base":
        not_asked("a base model is what the others are measured by")
    if threshold is None:
        unsettled("phases.toml has no row 'language' for this phase", code="no_threshold")
    if not lab.has_base:
        no_evidence(f'[models.{model.name}] parent = "NAME", up to a model with stage = "base"')
    text = TEXT.read_text(encoding="utf-8")
    bits = {role: lab.measure(parity.bits_per_byte, text, role=role) for role in ("base", "candidate")}
    try:
        share = language.kept(**bits, guess=language.guess(chat, text))
    except DataError as error:
        unsettled(f"{error.fact}: {error.reason}")
    measured.update(bits, kept=share, text_sha256=sha256_text(text))
    measured["text"] = (
        f"{share:.0%} of the base's language kept: {bits['candidate']:.2f} bits per byte, the base {bits['base']:.2f}"
    )
    if share < threshold:
        deny([Problem("behaviour.language_lost", TEXT.name, f"{measured['text']}; {threshold:.0%} are asked for")])
