"""Does the model choose by what the options say? Asked of models that declare how they answer multiple choice.

    skills = ["choice by letter"]    # "B": asked to answer with the letter
    skills = ["choice in words"]     # "Rome.": asked to answer with the option

A score on four options may be a habit of letters, the look of the options, or knowledge. Each item is shown with its
options rotated through every place, with its options alone, and under another item's question; what a model knows must
survive all three. The verdict rests on the likelihood of the declared kind of answer; what it writes, the other kind,
and the cloze form, in which no options are shown, are measured beside it.
"""

from modelqa import choice, deny, not_asked, unsettled

from .cases_choice import choice_items

ITEMS = 40  # each shown 12 times: bounds over 40 items tell a quarter right from a half
SAID = 12  # tokens of a reply that should be a letter or an option
FORMS = {"choice by letter": "letter", "choice in words": "words"}
SCORED = {"letter": choice.likeliest_letters, "words": choice.likeliest_texts, "cloze": choice.likeliest_texts}


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
    own = next((form for skill, form in FORMS.items() if skill in model.skills), None)
    if own is None:
        not_asked(f'[models.{model.name}] skills = ["choice by letter"] would declare that it answers multiple choice')
    items = choice_items(lab.settings.case_seed, ITEMS)
    sheets = {form: choice.sheet(items, rotate=form != "cloze") for form in SCORED}
    asked = {form: choice.questions(sheets[form], system=model.system, form=form) for form in SCORED}
    found = {form: choice.report(sheets[form], lab.measure(SCORED[form], asked[form])) for form in SCORED}
    said = lab.measure(choice.said_texts, asked[own], max_new_tokens=SAID)
    found["written"] = choice.report(
        sheets[own], [choice.parse_letter(*pair) for pair in zip(said, sheets[own], strict=True)]
    )
    for name, each in found.items():
        measured.update(rates(name, each))
    decisive = found[own]
    measured["chosen places"] = " ".join(f"{letter} {each.mean:.0%}" for letter, each in choice.by_letter(decisive))
    measured["recall spread"] = round(decisive.recall_spread, 4)
    measured["text"] = f"{decisive.rotated.mean:.0%} right over all rotations, chance {decisive.chance:.0%} ({own})"
    deny([*choice.shortcut_problems(decisive), *choice.unparsed_problems(found["written"])])
    if why := choice.unproven(decisive):
        unsettled(why)
