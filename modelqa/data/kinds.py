"""What sort of thing some everyday words name: the known answers to "What is a ...?". Data only."""

from __future__ import annotations

_TABLE = {
    "An animal.": """
bear beaver bee bird camel cat chicken cobra cow crab deer dog dolphin donkey duck eagle falcon fish fox frog
giraffe goat goose hawk horse jaguar kitten lamb lion lizard lobster monkey moth mouse otter owl oyster panda
parrot pigeon pony rabbit raven robin salmon shark sheep snail snake spider swan tiger turkey turtle whale wolf
zebra
    """,
    "A fruit.": """
apple banana cherry grape lemon lime mango melon peach pear plum
    """,
    "A colour.": """
black blue brown gray green pink purple red white yellow
    """,
    "An instrument.": """
drum flute guitar piano trumpet violin
    """,
    "Clothing.": """
coat dress glove hat jacket jeans shirt shoe sock apron boot uniform
    """,
    "Furniture.": """
bed bench chair couch desk sofa table shelf
    """,
    "A drink.": """
coffee juice milk tea wine
    """,
    "A relative.": """
aunt brother cousin father mother nephew sister uncle
    """,
    "A vehicle.": """
bike boat bus canoe car raft rocket ship train wagon
    """,
    "A metal.": """
copper gold iron silver steel
    """,
    "A building.": """
barn cabin castle hotel house museum palace school temple tower
    """,
    "A person.": """
actor artist baker captain child doctor farmer friend guest hunter king lady nurse pilot poet prince queen
soldier student tailor teacher
    """,
    "A plant.": """
bamboo cactus clover fern grass herb moss oak palm pine rose tree tulip willow
    """,
}

KINDS: dict[str, str] = {word: answer for answer, words in _TABLE.items() for word in words.split()}
