"""Invented names shared by several classes: worlds, consoles, authors, press titles, brands.

They are made up for this catalogue and stand for no real product. Games, consoles, figurines and
cards share the same worlds on purpose: a name alone doesn't tell the class.
"""

WORLDS = (
    "Brumefer", "Les Veilleurs d'Ombrelune", "Oxalune", "Turbo Garrigue", "Kervadryl",
    "Sablecendre", "Mirobolia", "Galopins du Cosmos", "La Tour aux Mille Clés", "Foudrelande",
    "Zénith Arena", "Capitaine Ruban", "Noctambulia", "Le Dernier Sémaphore", "Pixel Bocage",
    "Drakoline",
)  # fmt: skip

CHARACTERS = (
    "Capitaine Ysold", "le mage Corvin", "Pipistrelle", "la reine Ambrune", "Robot Balthus",
    "Sire Gravelot", "la pilote Nova", "Tigre de jade", "le golem Ferrand", "la sorcière Maëlle",
)  # fmt: skip

CONSOLES = ("Quorbit 2", "Zarvox 64", "Plimbo Mini", "Télénox", "Quorbit One", "Zarvox Duo")

BOOK_STARTS = (
    "Le jardin", "La dernière lettre", "Les ombres", "Un été", "La maison", "Les heures",
    "L'héritage", "Une saison", "Le carnet", "La promesse", "Le secret", "L'enfant",
)  # fmt: skip
BOOK_ENDS = (
    "des marées", "du vieux pont", "sans retour", "aux amandiers", "de Valcombe", "du boulanger",
    "des trois rivières", "sous la neige", "d'Armelle", "de la rue haute", "du bout du quai",
    "des collines",
)  # fmt: skip
AUTHORS = (
    "Hélène Vautrin", "Marc Delmarcq", "Odile Kerlouan", "Bastien Roqueval", "Inès Tardivel",
    "Paul-Émile Garance", "Solène Abriel", "Yvon Castagnac", "Nora Belmeziane", "Gaspard Louviot",
)  # fmt: skip
PUBLISHERS = ("Éditions du Tilleul", "Le Quai Vert", "Plume & Galets", "Presses de Valcombe")
MAGAZINES = (
    "L'Écho de Valcombe", "La Gazette Miroitante", "Ciné Bobine", "Le Radiophile",
    "Moteurs d'Antan", "Mailles et Aiguilles", "Planète Curieuse", "Sport Chrono",
    "Le Petit Matin", "Jardins et Potagers",
)  # fmt: skip
MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
    "octobre", "novembre", "décembre",
)  # fmt: skip
LANGUAGES = (
    "japonais/japonaise", "américain/américaine", "européen/européenne", "français/française",
    "allemand/allemande",
)  # fmt: skip

GAME_BRANDS = ("Quorbit", "Zarvox", "Télénox", "Plimbo", "Manetik")
TOY_BRANDS = ("Ludibulle", "Pirouli", "Coquinou", "Tralalou", "Bambinoche")
HOME_BRANDS = ("Maison Tavel", "Lumirelle", "Cosyane", "Brindille & Lin", "Atelier Noroît")
GARDEN_BRANDS = ("Verdaluz", "Potaginova", "Aquabelle", "Terrassio", "Brutalo")
EVERYDAY_BRANDS = ("Papelys", "Gourmandor", "Croquinou", "Bureaulis", "Saveurs du Causse")

ALL_BRANDS = (
    *GAME_BRANDS, *TOY_BRANDS, *HOME_BRANDS, *GARDEN_BRANDS, *EVERYDAY_BRANDS,
)  # fmt: skip
