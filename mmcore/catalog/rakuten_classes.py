"""The 27 classes of the Rakuten challenge.

The challenge gives numbers only; the names are ours, from the products under them, and short
enough for a button.
"""

from mmcore.catalog.class_names import ClassName

RAKUTEN_CLASSES = tuple(
    ClassName(code, name_fr, name_en)
    for code, name_fr, name_en in (
        ("10", "Livres d'occasion", "Second-hand books"),
        ("40", "Jeux vidéo", "Video games"),
        ("50", "Accessoires de jeu vidéo", "Gaming accessories"),
        ("60", "Consoles", "Game consoles"),
        ("1140", "Figurines et goodies", "Figures & fan goods"),
        ("1160", "Cartes à collectionner", "Trading cards"),
        ("1180", "Jeux de figurines", "Miniature wargames"),
        ("1280", "Jouets", "Toys"),
        ("1281", "Jeux de société", "Board games"),
        ("1300", "Drones et modélisme", "Drones & scale models"),
        ("1301", "Vêtements de bébé", "Baby clothes"),
        ("1302", "Jouets d'extérieur", "Outdoor toys & sport"),
        ("1320", "Puériculture", "Baby care"),
        ("1560", "Meubles", "Furniture"),
        ("1920", "Linge de maison", "Home linen"),
        ("1940", "Épicerie", "Groceries"),
        ("2060", "Décoration", "Home decoration"),
        ("2220", "Animalerie", "Pet supplies"),
        ("2280", "Journaux et revues", "Newspapers & magazines"),
        ("2403", "Lots de livres et BD", "Book & comic sets"),
        ("2462", "Consoles et jeux d'occasion", "Used consoles & games"),
        ("2522", "Papeterie", "Stationery"),
        ("2582", "Mobilier de jardin", "Garden furniture"),
        ("2583", "Piscine et spa", "Pool & spa"),
        ("2585", "Outils et jardinage", "Garden tools & DIY"),
        ("2705", "Livres neufs", "New books"),
        ("2905", "Jeux PC à télécharger", "PC game downloads"),
    )
)
