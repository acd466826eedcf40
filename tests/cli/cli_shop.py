"""A small shop of 36 products in three classes, and how to run a command that must fail."""

import csv
from pathlib import Path

from mmcore.cli.app import main

CLASSES = {"piscine": "2583", "livre": "10", "jouet": "1280"}
IMPORT = (
    *("--id", "ref", "--title", "titre", "--description", "texte"),
    *("--label", "cat", "--split", "part", "--extra", "prix"),
)


def rows(per_class: int = 12) -> list[dict]:
    return [
        {
            "ref": f"{word}-{i}",
            "titre": f"{word} modèle {i} {'bleu' if i % 2 else 'rouge'}",
            "texte": "" if i % 3 else f"une belle {word}",
            "cat": code,
            "prix": str(10 * (1 + list(CLASSES).index(word)) + i),
            "part": ("train", "train", "val", "test")[i % 4],
        }
        for word, code in CLASSES.items()
        for i in range(per_class)
    ]


def write_csv(path: Path, products: list[dict]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(products[0]))
        writer.writeheader()
        writer.writerows(products)
    return path


def refused(capsys, *arguments) -> str:
    """Run a command that must fail as a user's error, and return its one line."""
    assert main([str(a) for a in arguments]) == 1
    captured = capsys.readouterr()
    lines = captured.err.strip().splitlines()
    assert lines and lines[-1].startswith("error: ") and "Traceback" not in captured.err
    assert sum(line.startswith("error: ") for line in lines) == 1
    return lines[-1]
