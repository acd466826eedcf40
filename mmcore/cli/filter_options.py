"""The options that say which products are meant, the same for every command that asks."""

from typing import Annotated

import typer

from mmcore.cli.options import given_text

Classes = Annotated[
    list[str] | None,
    typer.Option("--class", parser=given_text, metavar="CODE", help="With this label; repeatable."),
]
Predicted = Annotated[
    list[str] | None,
    typer.Option(parser=given_text, metavar="CODE", help="Predicted as; repeatable."),
]
Split = Annotated[
    str | None, typer.Option(parser=given_text, metavar="SPLIT", help="train, val or test.")
]
Labelled = Annotated[
    bool | None,
    typer.Option("--labelled/--unlabelled", help="Only with, or only without a label."),
]
Flagged = Annotated[
    bool | None, typer.Option("--flagged/--unflagged", help="Only with, or only without a flag.")
]
Photo = Annotated[
    bool | None, typer.Option("--photo/--no-photo", help="Only with, or only without a photo.")
]
ByAnnotator = Annotated[
    str | None,
    typer.Option(
        "--annotator", parser=given_text, metavar="NAME", help="Annotated by this person."
    ),
]
Search = Annotated[
    str,
    typer.Option(parser=given_text, metavar="WORDS", help="Words of title, description or id."),
]
