"""Questions whose answer stands in a short text, generated for `mini-chat`; no row is anyone's.

A text is two sentences that state facts, one of them the fact that is asked for; irrelevant
sentences state facts of the same kinds about other people and things. What fills the sentences is
split: words that the questions held out are made of occur in no question that is learnt from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

NAMES = Path(__file__).resolve().parent / "chat_names.txt"
HELD_OUT = 5  # every fifth word of each kind

# kind of fact: sentences | questions | answer
FACTS = """
{person} lives in {place}. / {person} has a house in {place}. | Where does {person} live? | {place}
{person} was born in {place}. / {person} comes from {place}. | Where was {person} born? | {place}
{person} flew to {place}. / {person} went to {place} by train. | Where did {person} go? | {place}
{person} works as a {job}. / {person} is a {job}. | What is the job of {person}? | {job}
{person} likes {food} best. / {person} eats {food} every day. | What does {person} eat? | {food}
{person} has a {animal}. / {person} feeds a {animal}. | What animal does {person} have? | {animal}
{person} is {age} years old. / {person} is now {age}. | How old is {person}? | {age}
{person} is married to {other}. / {person} has married {other}. | Who is married to {person}? | {other}
{person} met {other} in the {room}. / {person} saw {other} in the {room}. | Where was {other}? | {room}
{person} met {other} in {place}. / {person} saw {other} in {place}. | Who was met by {person}? | {other}
{person} lost a {thing}. / {person} cannot find a {thing}. | What did {person} lose? | {thing}
{person} bought a {thing}. / {person} paid for a {thing}. | What did {person} buy? | {thing}
The {thing} belongs to {person}. / The {thing} is owned by {person}. | Who owns the {thing}? | {person}
The {thing} was found by {person}. / {person} found the {thing}. | Who found the {thing}? | {person}
The {thing} is {colour}. / The {thing} was painted {colour}. | What colour is the {thing}? | {colour}
The {thing} is in the {room}. / The {thing} lies in the {room}. | Where is the {thing}? | {room}
The {thing} costs {age} dollars. / The price of the {thing} is {age}. | How much is the {thing}? | {age}
The {thing} was made in {place}. / The {thing} is from {place}. | Where is the {thing} from? | {place}
"""  # noqa: E501

WORDS = {
    "place": """Paris London Rome Madrid Berlin Vienna Lisbon Dublin Oslo Stockholm Helsinki Warsaw
        Prague Budapest Athens Brussels Amsterdam Geneva Zurich Milan Venice Naples Florence Turin
        Barcelona Seville Valencia Porto Lyon Nice Marseille Bordeaux Munich Hamburg Cologne
        Frankfurt Leipzig Dresden Edinburgh Glasgow Liverpool Manchester Oxford Cambridge Bristol
        Leeds Cardiff Belfast York Boston Chicago Dallas Houston Denver Seattle Miami Atlanta
        Detroit Memphis Austin Phoenix Portland Baltimore Cleveland Toronto Montreal Vancouver
        Ottawa Calgary Quebec Havana Lima Bogota Quito Santiago Caracas Cairo Tunis Algiers Lagos
        Nairobi Accra Dakar Harare Lusaka Kampala Moscow Kiev Minsk Riga Vilnius Tallinn Sofia
        Bucharest Belgrade Zagreb Sarajevo Istanbul Ankara Tehran Baghdad Beirut Damascus Jerusalem
        Riyadh Dubai Doha Delhi Mumbai Calcutta Madras Karachi Lahore Kabul Dhaka Colombo Bangkok
        Hanoi Saigon Manila Jakarta Singapore Tokyo Osaka Kyoto Seoul Beijing Shanghai Taipei
        Sydney Melbourne Perth Brisbane Adelaide Auckland Wellington Iceland Norway Sweden Finland
        Denmark Poland Hungary Austria Italy Spain Portugal France Germany Belgium Holland Ireland
        Scotland Wales Greece Turkey Egypt Morocco Kenya Ghana Nigeria India China Japan Korea
        Vietnam Thailand Canada Mexico Brazil Chile Peru Cuba Texas Florida Ohio Kansas Nevada
        Oregon Alaska Hawaii Utah Maine""",
    "job": """teacher doctor nurse lawyer baker butcher farmer fisherman driver pilot sailor soldier
        painter singer dancer writer poet actor director producer cook waiter tailor carpenter
        plumber gardener hunter miner clerk judge priest monk banker barber builder cleaner coach
        dentist editor guard guide janitor librarian mechanic model musician photographer
        policeman postman professor reporter sculptor secretary shepherd surgeon thief translator
        vet watchmaker zookeeper captain cashier chemist detective florist jeweller magician
        philosopher receptionist scientist spy student trainer wrestler boxer cowboy""",
    "food": """bread cheese butter rice pasta soup fish chicken beef pork ham bacon salad cabbage
        carrots potatoes tomatoes onions beans peas lentils corn mushrooms apples pears plums
        cherries grapes oranges lemons bananas peaches melons berries nuts honey jam cake pie
        cookies chocolate pancakes noodles pizza sausages eggs yoghurt porridge toast olives
        garlic spinach pumpkin shrimp lobster oysters salmon tuna trout turkey duck lamb steak
        curry dumplings waffles pudding popcorn crackers raisins dates figs""",
    "animal": """dog cat horse cow pig goat sheep donkey mule rabbit hamster mouse rat squirrel fox
        wolf bear lion tiger leopard monkey gorilla elephant camel giraffe zebra snake lizard
        turtle frog toad parrot crow raven eagle hawk owl pigeon swan goose hen rooster peacock
        penguin seal whale dolphin shark crab spider bee ant butterfly hedgehog badger beaver otter
        deer moose buffalo llama kangaroo panda pony puppy kitten calf""",
    "thing": """book lamp chair table box bag hat coat scarf glove shoe boot ring watch clock mirror
        picture camera radio phone piano guitar violin drum flute bicycle car boat kite ball doll
        knife fork spoon plate cup bottle glass kettle pan basket bucket broom ladder hammer saw
        rope key lock door window curtain carpet pillow blanket candle match pipe coin stamp letter
        map flag sword gun helmet shield crown necklace bracelet umbrella suitcase wallet purse pen
        pencil brush needle button ticket newspaper magazine notebook diary statue vase bell whistle
        trumpet telescope computer printer engine wheel tent sled skate bench desk sofa cupboard
        drawer shelf fence bridge wagon anchor barrel cradle""",
    "colour": """red blue green yellow black white brown grey orange purple pink silver golden
        violet crimson turquoise beige scarlet""",
    "room": """kitchen garden garage bathroom bedroom cellar attic hall office library museum
        church school station hospital theatre market park forest street yard barn stable tower
        castle palace harbour airport prison hotel restaurant bakery factory laboratory studio
        gallery basement lobby corridor balcony tunnel cave temple stadium gym bank shop pub tent
        cabin cottage village valley desert""",
}  # fmt: skip


@dataclass(frozen=True)
class Item:
    """A text, a question about it, and the words of the text that answer it."""

    text: str
    question: str
    answer: str


@dataclass(frozen=True)
class Fact:
    """One kind of fact: how it is said, how it is asked for, and which part answers."""

    sentences: tuple[str, ...]
    question: str
    answer: str
    slots: tuple[str, ...]


@cache
def facts() -> tuple[Fact, ...]:
    """The kinds of facts, read from the table above."""
    found = []
    for line in FACTS.strip().splitlines():
        sentences, question, answer = (part.strip() for part in line.split(" | "))
        slots = tuple(re.findall(r"{(\w+)}", sentences.split(" / ")[0]))
        found.append(Fact(tuple(sentences.split(" / ")), question, answer, slots))
    return tuple(found)


@cache
def words(held_out: bool) -> dict[str, tuple[str, ...]]:
    """The words of each kind: of the questions held out, or of those to learn from."""
    lines = NAMES.read_text(encoding="utf-8").splitlines()
    names = [line for line in lines if re.fullmatch(r"[A-Z][a-z]{1,9}", line)]
    kinds = {kind: text.split() for kind, text in WORDS.items()}
    kinds |= {"person": names, "age": [str(n) for n in range(11, 100)]}
    return {
        kind: tuple(
            word
            for number, word in enumerate(sorted(set(listed)))
            if (number % HELD_OUT == 0) == held_out
        )
        for kind, listed in kinds.items()
    }


class Filler:
    """Fills facts with words, none of which is used twice in a text."""

    def __init__(self, rng: np.random.Generator, held_out: bool) -> None:
        self.rng, self.pools, self.used = rng, words(held_out), set[str]()

    def word(self, kind: str) -> str:
        """A word of a kind that this text does not have yet."""
        pool = self.pools["person" if kind == "other" else kind]
        while (word := pool[self.rng.integers(len(pool))]) in self.used:
            pass
        self.used.add(word)
        return word

    def say(self, fact: Fact) -> tuple[str, dict[str, str]]:
        """A sentence that states a fact of this kind, and the words in it."""
        filling = {slot: self.word(slot) for slot in fact.slots}
        sentence = fact.sentences[self.rng.integers(len(fact.sentences))]
        return re.sub(r"\ba (?=[aeiou])", "an ", sentence.format(**filling)), filling


def item(rng: np.random.Generator, held_out: bool, irrelevant: int = 0) -> Item:
    """A question about a text of two facts, with `irrelevant` sentences more, in any order.

    Of the irrelevant sentences every second one states a fact of the kind that is asked for.
    """
    filler = Filler(rng, held_out)
    kinds = facts()
    first, second = (kinds[i] for i in rng.choice(len(kinds), size=2, replace=False))
    told, filling = filler.say(first)
    sentences = [told, filler.say(second)[0]]
    for number in range(irrelevant):
        kind = first if number % 2 == 0 else kinds[rng.integers(len(kinds))]
        sentences.append(filler.say(kind)[0])
    order = rng.permutation(len(sentences))
    text = " ".join(sentences[i] for i in order)
    return Item(text, first.question.format(**filling), first.answer.format(**filling))


def items(count: int, seed: int, held_out: bool, irrelevant: int = 0) -> list[Item]:
    """`count` questions; the same seed gives the same facts, whatever is irrelevant.

    >>> items(1, 0, held_out=True)[0].answer in items(1, 0, held_out=True)[0].text
    True
    """
    return [
        item(np.random.default_rng([seed, int(held_out), n]), held_out, irrelevant)
        for n in range(count)
    ]
