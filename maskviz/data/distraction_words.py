"""What the questions of `distraction` are made of, written for it; no sentence is anyone's.

Each kind of fact has sentences and questions to train on (the first of each pair) and to test on
(the second). Names are split likewise; what fills the other places may occur in both.
"""

from __future__ import annotations


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NAMES = (  # to train on, to test on
    _listed(
        """Anna Bruno Clara Daniel Elena Felix Greta Hugo Irene Jonas Karin Leon Marta Nora Oscar
        Paula Ruben Sofia Tomas Ursula Victor Wanda Yusuf Zara Albert Bertha Conrad Dora Edgar
        Frieda Gustav Hilda Isaac Judith Klaus Laura Martin Nadia Otto Petra"""
    ),
    _listed(
        """Alice Boris Carol David Emma Frank Grace Henry Iris Jack Kate Louis Mary Neil Olga
        Peter Rosa Simon Tina Walter"""
    ),
)
PLACES = _listed(
    """Paris London Rome Madrid Berlin Vienna Lisbon Dublin Oslo Helsinki Warsaw Prague Athens
    Brussels Geneva Milan Venice Naples Florence Turin Boston Chicago Dallas Houston Denver Toronto
    Montreal Cairo Moscow Istanbul Delhi Tokyo Seoul Sydney"""
)
JOBS = _listed(
    """teacher doctor nurse lawyer baker farmer driver pilot sailor soldier painter singer dancer
    writer actor cook waiter tailor gardener judge"""
)
ANIMALS = _listed(
    """dog cat horse cow pig goat sheep donkey rabbit mouse fox wolf bear lion tiger monkey
    camel snake frog parrot"""
)
ROOMS = _listed(
    """kitchen garden garage bedroom cellar hall office library museum church school station
    hospital market park forest"""
)
THINGS = _listed(
    """book lamp chair table box bag hat coat glove ring watch clock mirror camera radio piano
    guitar bicycle kite spoon bottle basket hammer key"""
)
COLOURS = _listed("red blue green yellow black white brown grey pink silver")
COUNTED = _listed(
    """apples books coins stamps pencils plates shirts tickets balls bottles cups flowers keys
    letters lemons oranges"""
)

# kind: sentences (train | test), questions (train | test), what answers
LOOKED_UP = {
    "place": (
        ("{person} has a house in {place}.", "{person} lives in {place}."),
        ("In which town is the house of {person}?", "Where does {person} live?"),
        "place",
    ),
    "job": (
        ("{person} earns money as a {job}.", "{person} works as a {job}."),
        ("As what does {person} earn money?", "What is the job of {person}?"),
        "job",
    ),
    "animal": (
        ("{person} feeds a {animal}.", "{person} has a {animal}."),
        ("What does {person} feed?", "What animal does {person} have?"),
        "animal",
    ),
    "thing": (
        ("{person} paid for a {thing}.", "{person} bought a {thing}."),
        ("What did {person} pay for?", "What did {person} buy?"),
        "thing",
    ),
    "room": (
        ("{person} waits in the {room}.", "{person} sits in the {room}."),
        ("Where does {person} wait?", "Where does {person} sit?"),
        "room",
    ),
    "colour": (
        ("The coat of {person} is {colour}.", "{person} wears a {colour} coat."),
        ("Which colour has the coat of {person}?", "What colour is the coat of {person}?"),
        "colour",
    ),
}
HELD = ("{person} owns {number} {counted}.", "{person} has {number} {counted}.")
COMPARED = (
    "Who owns {more} {counted}, {first} or {second}?",
    "Who has {more} {counted}, {first} or {second}?",
)
ADDED = (
    "How many {counted} do {first} and {second} own?",
    "How many {counted} do {first} and {second} have together?",
)
# Neutral filler says nothing of people or what is theirs; a beginning, a middle, an end.
FILLER = (
    ("It was", "Then it was", "Later it was", "That day it was", "By then it was"),
    ("cold", "warm", "late", "early", "quiet", "dark", "bright", "windy", "dry", "wet"),
    ("", " again", " outside", " for a while", " all day", " in the morning", " as always",
     " until the evening came", " and it stayed so", " for most of the day"),
)  # fmt: skip
