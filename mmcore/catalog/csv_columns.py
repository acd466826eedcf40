"""Which column of a shop's file means what: guessed from its name, checked against the header."""

import difflib
import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from mmcore.catalog.csv_table import CsvTable, clean_name
from mmcore.catalog.issues import shown
from mmcore.catalog.products import BASE_COLUMNS
from mmcore.errors import CatalogueError

FIELDS = ("product_id", "title", "description", "image", "label", "group", "split")

# Names as French and English shops, Rakuten, Shopify, PrestaShop and Google's feed have them,
# without accents and punctuation; within a field the surest first.
_KNOWN_NAMES = {
    "product_id": (
        "productid idproduit produitid productcode codeproduit sku ugs reference referenceproduit "
        "ref articleid idarticle codearticle itemid asin gtin ean ean13 uniqid identifiant handle "
        "id pid uid code"
    ),
    "title": (
        "title titre designation libelle productname producttitle productdisplayname nomproduit "
        "nomduproduit titreproduit intitule name nom itemname article"
    ),
    "description": (
        "description descriptif productdescription descriptionproduit bodyhtml longdescription "
        "descriptionlongue desc details texte shortdescription descriptioncourte resume"
    ),
    "image": (
        "image photo imagepath imagefile imagename photopath photofile fichierimage fichierphoto "
        "cheminimage cheminphoto nomimage images photos img picture visuel filename fichier "
        "imagesrc imagelink imageurl urlimage lienimage"
    ),
    "label": (
        "label category categorie cat class classe prdtypecode productcategory categorieproduit "
        "categoryname nomcategorie producttype typeproduit typedeproduit articletype target cible "
        "etiquette rayon famille mastercategory googleproductcategory categories type"
    ),
    "group": "groupid group groupe idgroupe groupeid itemgroupid parentsku parentid idparent",
    "split": "split partition subset jeu",
}


@dataclass(frozen=True)
class CsvColumns:
    """Column names of a file by meaning; None where the file has no such column.

    Attributes:
        image: holds names of photo files.
        group: ties near-copies together; computed where it is None or empty.
        split: train, val or test; computed where it is None or empty.
        extra: further columns to keep under their own names.
    """

    product_id: str | None = None
    title: str | None = None
    description: str | None = None
    image: str | None = None
    label: str | None = None
    group: str | None = None
    split: str | None = None
    extra: tuple[str, ...] = ()

    def mapped(self) -> dict[str, str]:
        """Return field -> column name, for the fields that have a column."""
        pairs = ((field, getattr(self, field)) for field in FIELDS)
        return {field: name for field, name in pairs if name is not None}


def guess_columns(header: Sequence[str], unnamed: Collection[str] = ()) -> CsvColumns:
    """Return the likeliest mapping; columns that mean nothing to us become extra ones.

    Args:
        header: column names as `CsvTable.header` has them.
        unnamed: those without a name in the file, which are left alone.
    """
    by_key: dict[str, str] = {}
    for name in header:
        if name not in unnamed:
            by_key.setdefault(_key(name), name)
    mapping: dict[str, str] = {}
    for field in FIELDS:
        known = _KNOWN_NAMES[field].split()
        found = next((by_key[key] for key in known if key in by_key), None)
        if found is not None:
            mapping[field] = found
            del by_key[_key(found)]
    taken = {*mapping.values(), *unnamed, *BASE_COLUMNS}
    return CsvColumns(**mapping, extra=tuple(name for name in header if name not in taken))


def locate_columns(columns: CsvColumns, table: CsvTable) -> tuple[dict[str, int], tuple[int, ...]]:
    """Return the place of each mapped field in a row, and the places of the extra columns.

    Raises:
        CatalogueError: if a column isn't in the header, the mapping lacks what a catalogue
            needs, or an extra column has a name that the catalogue uses itself.
    """
    mapped = columns.mapped()
    places = {field: _place(name, field, table) for field, name in mapped.items()}
    if "product_id" not in places:
        raise CatalogueError(
            f"{table.path.name}: no column is given as the product id, without which a second "
            "import couldn't tell which products are there already; name it (on the command "
            f"line with --id); {table.describe_columns()}"
        )
    if not {"title", "description", "image"} & set(places):
        raise CatalogueError(
            f"{table.path.name}: no column is given as title, description or image; name one "
            f"at least; {table.describe_columns()}"
        )
    _check_extra(columns.extra)
    return places, tuple(_place(name, "further column", table) for name in columns.extra)


def _place(name: str, field: str, table: CsvTable) -> int:
    wanted = clean_name(name)
    if wanted in table.header:
        return table.header.index(wanted)
    closest = _closest(wanted, table.header)
    hint = f"did you mean {shown(closest)}? " if closest else ""
    raise CatalogueError(
        f"{table.path.name} has no column {shown(name)} ({field.replace('_', ' ')}); {hint}"
        f"{table.describe_columns()}; correct the name, or the separator if these look wrong"
    )


def _closest(name: str, header: Iterable[str]) -> str | None:
    by_key = {_key(column): column for column in header}
    matches = difflib.get_close_matches(_key(name), by_key, n=1, cutoff=0.6)
    return by_key[matches[0]] if matches else None


def _check_extra(extra: Sequence[str]) -> None:
    names = [clean_name(name) for name in extra]
    for name in names:
        if name in BASE_COLUMNS:
            raise CatalogueError(
                f"further column {name!r} has the name of a column of the catalogue itself "
                f"({', '.join(BASE_COLUMNS)}); rename it in the file, or don't keep it"
            )
        if names.count(name) > 1:
            raise CatalogueError(f"further column {name!r} is given twice; give it once")


def _key(name: str) -> str:
    """Return a name without case, accents and punctuation."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    return re.sub(r"[\W_]|[\u0300-\u036f]", "", letters)
