"""What statements about a key and questions for them are made of: verbs, states, properties, adverbials. Data only.

`{K}` is the key, `{P}` the value; names in small letters in braces are slots of `SLOTS`, or the relation's own words.
"""

from __future__ import annotations

from collections.abc import Mapping

DEEDS = """
find found, lose lost, buy bought, bring brought, eat ate, cook cooked, bake baked, build built, break broke, mend
mended, wash washed, clean cleaned, keep kept, steal stole, catch caught, chase chased, call called, meet met, see
saw, hear heard, smell smelled, touch touched, push pushed, pull pulled, throw threw, kick kicked, drop dropped, lift
lifted, open opened, close closed, study studied, learn learned, teach taught, sing sang, hum hummed, choose chose,
pick picked, cut cut, burn burned, plant planted, water watered, feed fed, ride rode, drive drove, rent rented, borrow
borrowed, lend lent, send sent, get got, take took, leave left, follow followed, lead led, beat beat, help helped,
thank thanked, greet greeted, hate hated, miss missed, need needed, love loved, praise praised, blame blamed, fear
feared, trust trusted, copy copied, test tested, try tried, use used, wear wore, knit knitted, sew sewed, fold folded,
pack packed, wrap wrapped, tie tied, hang hung, hold held, guard guarded, save saved, free freed, wake woke, scare
scared, spell spelled, name named, print printed, note noted, record recorded, film filmed, order ordered, taste
tasted, drink drank, pour poured, mix mixed, count counted, collect collected, notice noticed, examine examined,
repair repaired, admire admired, remember remembered, discuss discussed, rescue rescued, lock locked, burnish
burnished, polish polished, trade traded, bury buried, dig-up dug-up, knock-over knocked-over, throw-away threw-away,
look-for looked-for, wait-for waited-for, listen-to listened-to, laugh-at laughed-at, point-at pointed-at, run-into
ran-into, think-of thought-of, talk-about talked-about, care-for cared-for, ask-for asked-for, pay-for paid-for,
vote-for voted-for, sit-on sat-on, sleep-on slept-on, jump-over jumped-over, climb climbed, swim-to swam-to, travel-to
travelled-to, fly-to flew-to, return-to returned-to, belong-to belonged-to, write-about wrote-about, answer answered,
adopt adopted, protect protected, deliver delivered, describe described, destroy destroyed, discover discovered,
dislike disliked, enjoy enjoyed, escape escaped, exchange exchanged, fetch fetched, finish finished, forget forgot,
imagine imagined, improve improved, inspect inspected, invent invented, join joined, juggle juggled, launch launched,
measure measured, melt melted, misplace misplaced, obtain obtained, photograph photographed, possess possessed, prefer
preferred, prepare prepared, present presented, produce produced, publish published, purchase purchased, receive
received, recognise recognised, reject rejected, reveal revealed, roast roasted, scratch scratched, search searched,
select selected, serve served, share shared, sketch sketched, slice sliced, solve solved, spot spotted, squeeze
squeezed, stretch stretched, suggest suggested, support supported, translate translated, treat treated, understand
understood, unpack unpacked, value valued, warn warned, weigh weighed, whistle whistled, worship worshipped, mention
mentioned, yell yelled, explain explained, promise promised, offer offered, invite invited, recommend recommended
"""
"""What a person did: the base form and the past; a hyphen stands for the space within one."""
NUMBERED_DEEDS = """
count counted, pay paid, win won, score scored, reach reached, collect collected, choose chose, guess guessed, type
typed, dial dialled, note noted, get got, earn earned, save saved, lose lost, need needed, own owned, use used, pick
picked, name named, add added, print printed, remember remembered, hit hit, beat beat, break broke, see saw, find
found
"""
"""What a person can do with a number."""
STATES = """
called, named, known as, listed as, labelled, tagged, nicknamed, registered as, covered with, made of, made by, found
by, found in, brought by, owned by, built by, built in, kept in, kept by, sent to, sent by, taken from, taken to,
given to, given by, loved by, made for, bought from, bought by, seen near, seen with, famous for, next to, close to,
tied to, stored under, sorted under, stuck in, left in, left with, lost in, hidden by, stolen by, washed with, ruled
by, guarded by, followed by, led by, chosen by, born in, based in, used by, used for, used in, meant for, paid by,
hired by, compared to, replaced by, fixed by, fixed with, tested by, tested with, linked to, related to, friends with,
afraid of, proud of, fond of, tired of, ready for, good at, bad at, busy with, angry at, happy about, sure of, far
from, near, behind, beside, under, above, inside, filled up with, loaded with, decorated with, equipped with, painted
by, signed by, delivered by, delivered to, shipped to, imported from, borrowed from, rescued from, protected by,
protected from, dedicated to, devoted to, addressed to, attached to, connected to, fastened to, glued to, leaning on,
standing on, lying on, resting on, sitting on, built on, built for, built near, designed by, designed for, discovered
by, invented by, inspired by, inherited from, purchased from, ordered by, ordered from, reserved for, rented by,
shared with, surrounded by, supported by, trained by, translated as, understood as, described as, spoken of as,
introduced as, recorded as, entered under, remembered for, respected for, praised for, blamed for, feared by, admired
by, packed with, lined with, wrapped in, cooked with, cleaned by, watched by, drawn by, written by
"""
"""What is so of anybody or anything, between "is" or "was" and the value."""
NUMBERED_STATES = """
listed as, labelled, tagged, registered as, filed under, stored under, sorted under, locked with, opened by, opened
with, worth, valued at, sold at, ranked, placed, known as, called, numbered, marked with, in room, on page, at level,
on floor, in seat, in row, limited to, set to, fixed at, measured at, counted as, rated at
"""
"""The same before a number."""
PROPERTIES = """
name, nickname, title, label, colour, flavour, owner, maker, driver, guard, helper, leader, partner, neighbour,
teacher, keeper, painter, designer, winner, cousin, brother, sister, captain, hero, enemy, guest, pet, song, tune,
dish, drink, snack, toy, tool, gift, prize, hobby, sport, dance, habit, plan, idea, wish, secret, answer, motto,
slogan, password, keyword, sign, mark, symbol, badge, brand, model, version, language, accent, home, street, district,
island, planet, country, village, station, captain, doctor, lawyer, manager, trainer, chairman, founder, inventor,
author, publisher, supplier, passenger, tenant, visitor, rival, ally, companion, favourite book, favourite game,
favourite place, dream, fear, talent, strength, weakness, weapon, vehicle, costume, uniform, emblem, mascot, anthem,
logo, alias, signature, title song, code word, district, region, continent, harbour, capital, landmark, neighbourhood,
address, origin, destination, hiding place, birthplace, profession, employer, subject, instrument, ingredient,
filling, sauce, fabric, pattern, shape, type, category, class, group, species, theme, topic, purpose, material, smell,
taste, sound, cover, smile, trick, story, message
"""
"""What anybody or anything has."""
NUMBERED_PROPERTIES = """
number, code, price, age, size, weight, height, length, width, depth, speed, score, rank, total, room, floor, seat,
page, line, level, fee, rent, fine, bill, value, limit, distance, temperature, power, count, record, pin, channel,
year, rate, share, grade, budget, volume, index, position, row, result, mark, target, strength, version, postcode,
lucky number
"""
"""What anybody or anything has that is a number."""

SLOTS: Mapping[str, tuple[str, ...]] = {
    "late": (
        "", "", "", "", " yesterday", " today", " last week", " in the morning", " at night", " on Monday",
        " this year", " long ago", " before lunch", " after work", " for years", " by now", " since then", " again",
        " at last", " as well", " of course", " for a while", " all day", " every day", " in summer", " in March",
        " near the river", " in the old town", " behind the hill", " on the way home", " at the market",
        " in the kitchen", " by the sea", " in the north", " at the lake", " in front of everybody", " with a smile",
        " with great care", " for a friend", " for the family", " together with others", " during the storm",
        " when the sun came up", " after a long walk", " as far as we know", " in the end", " for the first time",
        " in one hour", " by mistake", " on purpose", " for fun", " in a hurry", " out of habit", " at the same time",
        " because of the rain", " while it was snowing", " on the other side", " in the middle of the day",
        " for its owner", " for her brother", " for his sister", " for their guests", " in the back yard",
        " at the front door", " on the top shelf", " under a big tree", " across the street", " around the corner",
        " down the road", " along the wall", " above the entrance", " below the roof", " inside the hall",
        " outside the town", " by the window", " for twenty days", " on Sunday evening", " every spring",
        " since winter", " until Friday", " in October", " at noon", " after midnight", " during the holidays",
        " before breakfast", " right after school", " next to the stairs", " from morning to evening",
        " in big letters", " in a loud voice", " with both hands", " without any help", " with much patience",
        " in great secrecy", " to everyone's surprise", " in front of the teacher", " thanks to a friend",
        " for the whole village", " on its left side", " at the very end", " over and over", " all the time",
        " in two steps", " according to the owner", " as the story goes", " so they say", " to this day",
        " like everybody else",
    ),
    "often": (
        "", "", "", "", "often ", "always ", "once ", "then ", "still ", "soon ", "just ", "also ", "really ",
        "quickly ", "slowly ", "finally ", "later ", "first ", "usually ", "sometimes ", "gladly ", "suddenly ",
        "quietly ", "probably ", "indeed ", "surely ", "already ", "recently ", "secretly ", "now ",
    ),
    "fine": (
        "", "", "", "", "old ", "new ", "big ", "small ", "little ", "great ", "strange ", "nice ", "famous ",
        "favourite ", "first ", "last ", "real ", "good ", "short ", "long ", "secret ", "best ", "own ", "second ",
        "usual ", "final ", "exact ", "right ", "only ", "special ", "main ", "true ", "official ", "current ",
    ),
    "a": (
        "", "", "", "the ", "a ", "some ", "one ", "the word ", "the thing ", "somebody called ", "something called ",
    ),
    "be": ("is", "was", "is", "was", "has been", "had been", "will be", "seems to be", "became", "remains"),
    "have": (
        "has", "had", "has", "got", "received", "chose", "keeps", "has got", "was given", "needs", "shows", "uses",
    ),
    "know": (
        "tell me", "i want to know", "can you tell me", "do you know", "please say", "say", "find out", "i wonder",
        "could you say", "show me", "we must know", "let me know", "explain", "state", "it matters to me",
    ),
    "thing": ("word", "thing", "name", "one"),
}  # fmt: skip
# Behind an invented state, and before an invented place.
AFTER = ("", " by", " with", " in", " near", " as", " from", " under", " to")  # fmt: skip
WHERE = (
    "in the", "near the", "with a", "without the", "like a", "by", "under some", "for the", "after the", "on that",
)  # fmt: skip

# Statements and questions of a deed, a state and a property.
DEED = (
    "{K} {often}{past} {a}{fine}{P}{late}.", "{K} {often}{past} {a}{P}{late}.", "{K} {past} {P}{late}.",
    "{K} {often}{past} {P}{late}.", "{K} has {often}{past} {P}{late}.",
)  # fmt: skip
ASK_DEED = (
    "what did {K} {base}?", "what was it that {K} {past}?", "{know} what {K} {past}.", "{know} what {K} {past}.",
    "which {thing} did {K} {base}?", "{know} which {thing} {K} {past}.", "{K} {past} something. what was it?",
    "what {K} {past}, that is my question.", "who or what did {K} {base}?", "and what did {K} {often}{base}?",
    "name what {K} {past}.",
)  # fmt: skip
STATE = (
    "{K} {be} {state} {P}{late}.", "{K} {be} {often}{state} {P}{late}.", "{K} {be} {state} {a}{fine}{P}{late}.",
)  # fmt: skip
ASK_STATE = (
    "what is {K} {state}?", "what was {K} {state}?", "what is {K} {often}{state}?", "{know} what {K} is {state}.",
    "{know} what {K} was {state}.", "{state} what is {K}?", "{state} which {thing} was {K}?",
    "which {thing} was {K} {state}?", "{K} is {state} what?", "who or what is {K} {state}?",
    "{state} whom or what is {K}?",
)  # fmt: skip
PROPERTY = (
    "{K} {have} the {fine}{noun} {P}{late}.", "{K} {often}{have} the {noun} {P}{late}.",
    "{K} {have} {P} as {fine}{noun}{late}.", "{K} {have} {P} for a {noun}{late}.",
    "{K} {have} a {fine}{noun}, {P}{late}.", "{K} {have} the {fine}{noun} of {P}{late}.",
)  # fmt: skip
ASK_PROPERTY = (
    "what is the {noun} of {K}?", "what is the {fine}{noun} of {K}?", "which {noun} has {K}?",
    "which {noun} does {K} have?", "{know} the {noun} of {K}.", "{know} the {fine}{noun} of {K}.",
    "{know} which {noun} {K} has.", "what {noun} did {K} get?", "name the {noun} that {K} has.", "the {noun} of {K}?",
    "{know} what the {noun} of {K} is.", "i need the {noun} of {K}.", "which {noun} belongs to {K}?",
    "what is {K}'s {noun}?", "what {fine}{noun} does {K} have?", "what can you say about the {noun} of {K}?",
    "of {K}, i want the {noun}.",
)  # fmt: skip
