"""Titles and descriptions of the drawn catalogue, from the word lists of words_*.py.

Text alone must not be enough: some titles are only a brand and a reference, some name an item of
another class, and books, games and consoles share their invented names between classes.
"""

import html
import random
import textwrap
from dataclasses import dataclass

from mmcore.catalog.drawing import names
from mmcore.catalog.drawing.draws import stream
from mmcore.catalog.drawing.grammar import agree, capitalised, colour_name, ending, fill, this
from mmcore.catalog.drawing.vocabulary import NEIGHBOURS, Item, Vocabulary
from mmcore.catalog.drawing.words_books import BOOKS
from mmcore.catalog.drawing.words_family import FAMILY_AND_GARDEN
from mmcore.catalog.drawing.words_games import GAMES
from mmcore.catalog.drawing.words_home import HOME
from mmcore.catalog.drawing.words_play import PLAY

VOCABULARIES: dict[str, Vocabulary] = {
    vocabulary.code: vocabulary
    for vocabulary in sorted(
        (*BOOKS, *GAMES, *PLAY, *HOME, *FAMILY_AND_GARDEN), key=lambda v: int(v.code)
    )
}

# Shares of the titles that leave the class open.
VAGUE_SHARE = 0.08
DECOY_SHARE = 0.04
MENTION_SHARE = 0.08
# Shares of the ways shops write.
CAPITALS_SHARE = 0.07
HTML_SHARE = 0.09

_VAGUE_TITLES = (
    "{brand} {ref}",
    "{brand} réf {ref}",
    "Réf {ref} - lot de {n2}",
    "Article {brand} {ref}",
    "Produit {brand} modèle {ref}",
    "{brand} série {n} - {ref}",
    "Lot de {n2} {brand}",
)
_DECOY_TITLES = (
    "Accessoire pour {other}",
    "Pour {other} - {brand} réf {ref}",
    "{brand} {ref} compatible {other}",
    "Pièce {brand} pour {other}",
    "À assortir avec {other} - {brand}",
)
_MENTIONS = (" - sans {other}", " (pour {other})", " et {other}", " avec {other}")
_ANY_SENTENCES = (
    "Livraison rapide et soignée.",
    "Article expédié sous 48 heures.",
    "Vendu dans l'état, voir la photo.",
    "N'hésitez pas à poser vos questions.",
    "Emballage d'origine un peu abîmé.",
    "Produit neuf, jamais déballé.",
    "Envoi suivi possible.",
    "Paiement à la commande, retour sous 14 jours.",
    "Référence {ref}.",
    "Petit prix, quantité limitée.",
    "Vendeur sérieux, plusieurs articles en boutique.",
)
_SIZES = ("120 x 60 cm", "80 x 80 cm", "140 x 90 cm", "160 x 45 cm", "200 x 100 cm")


@dataclass(frozen=True)
class Listing:
    """What one product says, and what its picture has to agree with."""

    title: str
    description: str  # always written; the catalogue leaves some out
    item: Item
    colour: str
    brand: str
    cover: tuple[str, ...]  # short lines for covers and boxes


def write_listing(seed: int, key: str, vocabulary: Vocabulary) -> Listing:
    """Return the text of the product `key` (unique) of a class."""
    rng = stream(seed, "text", key)
    item = rng.choice(vocabulary.items)
    colour = rng.choice(vocabulary.colours)
    brand = rng.choice(vocabulary.brands if rng.random() < 0.75 else names.ALL_BRANDS)
    fields = _fields(rng, vocabulary, item)
    fields |= _agreeing(rng, vocabulary, item, colour) | {"brand": brand}
    says_class, title = _title(rng, vocabulary, item, fields)
    description = _description(rng, vocabulary, item, fields, says_class)
    cover = tuple(textwrap.wrap(_cover_name(vocabulary, fields), width=12))[:3]
    return Listing(title, description, item, colour, brand, cover)


def _fields(rng: random.Random, vocabulary: Vocabulary, item: Item) -> dict[str, str]:
    """Return the facts of one product, the same in its title and its description."""
    language = rng.choice(names.LANGUAGES)
    world, world2 = rng.sample(names.WORLDS, 2)
    fits = item.fits.split(";") if item.fits and rng.random() < 0.6 else vocabulary.details
    return {
        "world": world,
        "world2": world2,
        "detail": rng.choice(fits),
        "console": rng.choice(names.CONSOLES),
        "character": rng.choice(names.CHARACTERS),
        "book": f"{rng.choice(names.BOOK_STARTS)} {rng.choice(names.BOOK_ENDS)}",
        "author": rng.choice(names.AUTHORS),
        "publisher": rng.choice(names.PUBLISHERS),
        "magazine": rng.choice(names.MAGAZINES),
        "language": agree(language, "f"),
        "language_m": agree(language, "m"),
        "month": rng.choice(names.MONTHS),
        "day": str(rng.randint(2, 28)),
        "oldyear": str(rng.randint(1948, 1999)),
        "year": str(rng.randint(2017, 2024)),
        "pages": str(rng.randint(9, 48) * 10),
        "num": str(rng.choice((50, 70, 100, 120, 150, 250, 500, 1000)) + rng.randint(0, 9) * 10),
        "n": str(rng.randint(4, 24)),
        "n2": str(rng.randint(2, 6)),
        "go": str(rng.choice((8, 16, 32, 64, 120, 250, 500))),
        "grams": str(rng.choice((100, 200, 250, 500, 750))),
        "size": rng.choice(_SIZES),
        "size1": str(rng.randint(10, 45)),
        "ref": f"{rng.choice('ABCDEFGHKLMNPRSTVX')}{rng.randint(100, 9999)}",
        "other": rng.choice(VOCABULARIES[rng.choice(NEIGHBOURS[vocabulary.code])].items).name,
    }


def _agreeing(
    rng: random.Random, vocabulary: Vocabulary, item: Item, colour: str
) -> dict[str, str]:
    """Return the fields whose French depends on the item's gender and number."""
    demonstrative = this(item.name, item.form)
    return {
        "item": item.name,
        "Item": capitalised(item.name),
        "adj": agree(rng.choice(vocabulary.adjectives), item.form),
        "colour": colour_name(colour, item.form),
        "colour_f": colour_name(colour, "f"),
        "e": ending(item.form),
        "ce": demonstrative,
        "Ce": capitalised(demonstrative),
    }


def _title(
    rng: random.Random, vocabulary: Vocabulary, item: Item, fields: dict[str, str]
) -> tuple[bool, str]:
    """Return whether the title names what is sold, and the title."""
    draw = rng.random()
    says_class = draw >= VAGUE_SHARE + DECOY_SHARE
    if draw < VAGUE_SHARE:
        pattern = rng.choice(_VAGUE_TITLES)
    elif not says_class:
        pattern = rng.choice(_DECOY_TITLES)
    else:
        titles = vocabulary.titles
        pattern = rng.choice(
            [t for t in titles if item.is_coloured or not t.count("{colour")] or titles
        )
        if rng.random() < MENTION_SHARE:
            pattern += rng.choice(_MENTIONS)
    title = capitalised(fill(pattern, fields, item.form))
    return says_class, title.upper() if rng.random() < CAPITALS_SHARE else title


def _description(
    rng: random.Random,
    vocabulary: Vocabulary,
    item: Item,
    fields: dict[str, str],
    says_class: bool,
) -> str:
    """Return one to five sentences; vague titles often go with a description as vague."""
    is_vague = rng.random() < (0.6 if not says_class else 0.12)
    own = 0 if is_vague else rng.randint(1, 3)
    patterns = rng.sample(vocabulary.sentences, own)
    patterns += rng.sample(_ANY_SENTENCES, rng.randint(1 if own == 0 else 0, 2))
    sentences = [fill(pattern, fields, item.form) for pattern in patterns]
    if rng.random() < HTML_SHARE:
        return _shop_html(rng, sentences)
    return " ".join(sentences)


def _shop_html(rng: random.Random, sentences: list[str]) -> str:
    """Return the sentences as shops paste them: entities for accents, tags for line breaks."""
    encoded = [
        "".join(f"&{html.entities.codepoint2name.get(ord(c), '')};" if ord(c) > 127 and ord(c) in
                html.entities.codepoint2name else c for c in sentence)
        for sentence in sentences
    ]  # fmt: skip
    if rng.random() < 0.5:
        return "<p>" + "<br />".join(encoded) + "</p>"
    return "<ul>" + "".join(f"<li>{sentence}</li>" for sentence in encoded) + "</ul>"


def _cover_name(vocabulary: Vocabulary, fields: dict[str, str]) -> str:
    """Return the name that stands on covers, boxes and packets of a class."""
    if vocabulary in BOOKS:
        return fields["magazine" if vocabulary.code == "2280" else "book"]
    if vocabulary in GAMES or vocabulary in PLAY:
        return fields["world"]
    return fields["brand"] + (" " + fields["item"] if vocabulary.code == "1940" else "")
