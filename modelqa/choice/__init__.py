"""Multiple choice without self-deception: the same items in every rotation, without their question, with another's.

A score on four options may be a habit of letters, the look of the options, or knowledge. Here each item is shown with
its options rotated through every place ("asked"), with its options alone ("options_only") and under another item's
question ("swapped"); what is claimed rests on the differences.

    def test_knowledge(lab, model):
        sheet = choice.sheet(choice.read_items(ITEMS))
        asked = choice.questions(sheet, system=model.system, form="letter")
        found = choice.report(sheet, lab.measure(choice.likeliest_letters, asked))
        deny(choice.shortcut_problems(found))

The gate `choice` of the shipped suites asks it of models that declare how they answer (`skills` in models.toml).

`items` what is shown, `scoring` what a model chooses (torch through the engine only), `report` what that shows.
"""

from modelqa.choice.items import Item, Shown, lettered_prompt, parse_letter, read_items, sheet
from modelqa.choice.report import Report, by_letter, report, shortcut_problems, unparsed_problems, unproven
from modelqa.choice.scoring import likeliest_letters, likeliest_texts, questions, said_texts
from modelqa.data.choices import LETTERS

__all__ = [
    "LETTERS",
    "Item",
    "Report",
    "Shown",
    "by_letter",
    "lettered_prompt",
    "likeliest_letters",
    "likeliest_texts",
    "parse_letter",
    "questions",
    "read_items",
    "report",
    "said_texts",
    "sheet",
    "shortcut_problems",
    "unparsed_problems",
    "unproven",
]
