"""Sentences of the everyday and of film talk with places for names; written for this project."""

from __future__ import annotations

import re

import numpy as np
from en_data import Row, Span

TEMPLATES = """
{PERSON} is wonderful as the worried father .
{PERSON} and {PERSON} have no chemistry at all .
I have always liked {PERSON} , but this is his worst film .
{PERSON} 's performance is the best thing here .
{PERSON} 's new film was shot in {GPE} .
The film was directed by {PERSON} and written by {PERSON} .
{PERSON} ( {PERSON} ) is a lawyer who moves to {GPE} .
{GPE} has never looked so beautiful on screen .
{GPE} is where I was born and {GPE} is where I live .
{GPE} 's economy grew last year .
We flew from {GPE} to {GPE} and stayed for a week .
My sister lives in {GPE} with her husband {PERSON} .
{ORG} released it on video in {GPE} .
{ORG} should be ashamed of this mess .
{ORG} 's latest product is too expensive .
Everything that {ORG} puts out these days looks the same .
She works for {ORG} in {GPE} .
He left {ORG} and joined {ORG} in the spring .
Produced by {ORG} , with music by {PERSON} .
I watched it because of {PERSON} and I was not disappointed .
Starring {PERSON} , {PERSON} and {PERSON} .
With {PERSON} in the lead , it could have been great .
It made me think of {PERSON} 's early work .
Thanks to {PERSON} , the second half is bearable .
{PERSON} said that {PERSON} would come later .
Did {PERSON} call you from {GPE} ?
{PERSON} , please call me when you get to {GPE} .
Mr. {PERSON} met Mrs. {PERSON} in {GPE} .
Dr. {PERSON} of {ORG} gave a talk .
Poor {PERSON} ! What was she thinking ?
We sailed down the {LOC} and camped near {LOC} .
The hotel is close to {LOC} in {GPE} .
From {LOC} you can see all of {GPE} .
The story is set in {GPE} in 1942 .
A young man from {GPE} falls in love with {PERSON} .
Even {PERSON} could not save this one .
The script by {PERSON} is as good as anything from {ORG} .
{PERSON} has worked with {ORG} before .
I wrote to {ORG} twice and got no answer .
Is {PERSON} still in {GPE} ?
{PERSON} lives in {GPE} .
{PERSON} went to {GPE} on Monday .
Tom and {PERSON} were at school together in {GPE} .
Great acting , great story , and {PERSON} is a joy to watch .
Why did nobody stop {PERSON} ?
One of the best films from {GPE} in years .
This movie is boring . {PERSON} looks tired in every scene .
What a film . {GPE} in the thirties , and {PERSON} at her best .
The worst thing {ORG} has ever done to {PERSON} .
As {PERSON} , {PERSON} is simply perfect .
""".strip().splitlines()
PLAIN = """
The movie was great and the ending was a surprise .
This is one of the worst films I have ever seen .
I love the music , the costumes and the photography .
Monday is my favourite day of the week .
Great film , but far too long .
Absolutely awful . Do not waste your time .
Overall , a charming comedy for the whole family .
However , the plot makes no sense at all .
Nobody in this film can act .
Horror fans will be bored .
""".strip().splitlines()
SLOT = re.compile(r"^\{(\w+)\}$")


def fill(template: str, names: dict[str, list[tuple[str, ...]]], rng: np.random.Generator) -> Row:
    """A row made from a template with names drawn at random."""
    tokens: list[str] = []
    spans: list[Span] = []
    for word in template.split():
        slot = SLOT.match(word)
        if slot is None or not names.get(slot[1]):
            tokens.append(word)
            continue
        pool = names[slot[1]]
        name = pool[rng.integers(len(pool))]
        if slot[1] == "PERSON" and rng.random() < 0.4:
            # A first name of one and a last name of another: more people than the data know.
            name = (name[0], pool[rng.integers(len(pool))][-1])
        spans.append((len(tokens), len(tokens) + len(name), slot[1]))
        tokens += name
    return Row(tuple(tokens), tuple(spans), "template")


def template_rows(
    count: int, names: dict[str, list[tuple[str, ...]]], rng: np.random.Generator
) -> list[Row]:
    """`count` rows from the templates, one in eight without any name."""
    pools = [TEMPLATES] * 7 + [PLAIN]
    rows = []
    for _ in range(count):
        pool = pools[rng.integers(len(pools))]
        rows.append(fill(pool[rng.integers(len(pool))], names, rng))
    return rows
