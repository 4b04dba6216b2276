"""Does the model choose by what the options say? Asked of models that declare it: skills = ["choice"].

A score on four options may be a habit of letters, the look of the options, or knowledge. Each item is shown with its
options rotated through every place, with its options alone, and under another item's question; what a model knows must
survive all three. The verdict rests on the likelihood of the letters; the letters that it writes, and the cloze form,
in which each option is tried as the answer, are measured beside it.
"""

from modelqa import choice, deny, not_asked, unsettled

from .cases_choice import choice_items

ITEMS = 40  # each shown 12 times: bounds over 40 items tell a quarter right from a half
SAID = 8  # tokens of a reply that should be a letter


def rates(name, found):
    """What of a report stands in the record."""
    return {
        f"{name} right as written": round(found.as_written, 4),
        f"{name} right in all rotations": round(found.rotated.mean, 4),
        f"{name} options alone": round(found.options_only, 4),
        f"{name} under another question": round(found.swapped, 4),
    }


def test_choice(lab, model, measured):
    """Right in every rotation, not without its question, and not under another's (one-sided 95% bounds by item)."""
    if "choice" not in model.skills:
        not_asked(f'[models.{model.name}] skills = ["choice"] would declare that it answers multiple choice')
    items = choice_items(lab.settings.case_seed, ITEMS)
    rotated, once = choice.sheet(items), choice.sheet(items, rotate=False)
    asked = choice.questions(rotated, system=model.system, form="letter")
    found = choice.report(rotated, lab.measure(choice.likeliest_letters, asked))
    said = lab.measure(choice.said_texts, asked, max_new_tokens=SAID)
    written = choice.report(rotated, [choice.parse_letter(*pair) for pair in zip(said, rotated, strict=True)])
    cloze = choice.questions(once, system=model.system, form="cloze")
    tried = choice.report(once, lab.measure(choice.likeliest_texts, cloze))
    measured.update(**rates("letter", found), **rates("written", written), **rates("cloze", tried))
    measured["chosen places"] = " ".join(f"{letter} {each.mean:.0%}" for letter, each in choice.by_letter(found))
    measured["recall spread"] = round(found.recall_spread, 4)
    measured["text"] = f"{found.rotated.mean:.0%} right over all rotations, chance {found.chance:.0%}"
    deny([*choice.shortcut_problems(found), *choice.unparsed_problems(written)])
    if why := choice.unproven(found):
        unsettled(why)
