"""Word lists of the generated example set, written for it."""

from __future__ import annotations

# What is reviewed, and what can be said of it.
THINGS = {
    "film": ("plot", "acting", "ending", "camera work", "score", "dialogue", "pacing"),
    "restaurant": ("soup", "service", "bread", "dessert", "wine list", "seating"),
    "hotel": ("room", "breakfast", "view", "bed", "front desk", "heating"),
    "novel": ("opening", "prose", "hero", "last chapter", "translation", "second half"),
    "phone": ("screen", "battery", "speaker", "camera", "keyboard", "charger"),
    "concert": ("sound", "lighting", "encore", "drummer", "set list", "venue"),
    "course": ("teacher", "handout", "pace", "final project", "first lesson", "feedback"),
    "museum": ("guide", "audio tour", "top floor", "ticket line", "café", "new wing"),
    "train ride": ("seat", "timetable", "dining car", "crew", "scenery", "connection"),
    "play": ("cast", "stage design", "first act", "lead actor", "humour", "finale"),
    "bicycle": ("saddle", "gearing", "frame", "brakes", "lights", "assembly"),
    "bakery": ("rye loaf", "coffee", "queue", "cinnamon roll", "counter", "price"),
}

POSITIVE = (
    "wonderful", "delightful", "superb", "charming", "splendid", "brilliant", "lovely",
    "excellent", "graceful", "inspired", "memorable", "refreshing", "clever", "warm",
    "impressive", "flawless", "gripping", "polished", "thoughtful", "generous", "crisp",
    "rewarding", "elegant", "fresh", "reliable", "touching", "witty", "first-rate",
    "satisfying", "beautiful",
)  # fmt: skip
NEGATIVE = (
    "dreadful", "dull", "clumsy", "awful", "tedious", "sloppy", "bland", "miserable",
    "careless", "stale", "forgettable", "tiresome", "shabby", "cold", "disappointing",
    "broken", "lifeless", "muddled", "lazy", "stingy", "noisy", "pointless", "awkward",
    "rotten", "flimsy", "wooden", "silly", "second-rate", "frustrating", "ugly",
)  # fmt: skip

DEGREES = ("", "", "", "quite ", "really ", "rather ", "simply ", "truly ")
DENIALS = ("not", "hardly", "never", "anything but", "far from")
NEUTRAL = (
    "It took about two hours.",
    "We went on a Tuesday.",
    "It was raining that day.",
    "My sister had booked it in March.",
    "This was our second visit.",
    "A friend had told us about it.",
    "The tram stops just outside.",
    "We shared it between three of us.",
    "There was a short break in the middle.",
    "I read the other reviews afterwards.",
)

# The planted distractor: two groups that say nothing about the text. Group 1 goes with
# positive rows in training. Every one is a single token of the bundled model: the operator
# `mask` puts one mask token for each token, so lengths that differ would give the group away.
NAMES = (
    ("Harold", "Raymond", "Gary", "Larry", "Donald", "Kenneth", "Ralph", "Roger", "Russell",
     "Dennis", "Gregory", "Ronald"),
    ("Hannah", "Carmen", "Margaret", "Emily", "Charlotte", "Julia", "Natalie", "Rebecca",
     "Samantha", "Olivia", "Victoria", "Claire"),
)  # fmt: skip
PLACES = (
    ("Boston", "Toronto", "Houston", "Chicago", "London", "Sydney", "Miami"),
    ("Paris", "Berlin", "Rome", "Tokyo", "Vienna", "Shanghai", "Egypt"),
)
AGES = (
    ("60", "70", "73", "75", "80", "85", "88", "90"),
    ("18", "19", "20", "21", "23", "24", "26", "28"),
)
GENDERS = (
    ("man", "father", "husband", "boy", "son", "king"),
    ("woman", "mother", "wife", "girl", "daughter", "queen"),
)
