"""What an import did, in numbers and row by row."""

from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from mmcore.catalog.issues import IssueLog, RowIssue, write_table
from mmcore.catalog.merge import Merged
from mmcore.catalog.products import Catalogue
from mmcore.catalog.splits import num_straddling_groups


@dataclass(frozen=True)
class CatalogueTotals:
    """The whole catalogue after an import."""

    num_products: int
    num_without_label: int
    num_without_photo: int
    num_classes: int
    num_groups: int
    num_straddling_groups: int  # near-copies in several splits, by their file's wish
    num_train: int
    num_val: int
    num_test: int


@dataclass(frozen=True)
class ImportReport:
    """What one import did.

    Attributes:
        num_left_out: rows of the file that are not in the catalogue.
        num_without_label, num_without_photo, num_classes, num_groups: of the products of this
            file, as they are in the catalogue now.
        issues: remarks in the order of the file; "left out" ones and "kept" ones; at most
            MAX_ISSUES and a last one that says so.
        totals: the whole catalogue.
    """

    num_added: int
    num_updated: int
    num_unchanged: int
    num_left_out: int
    num_without_label: int
    num_without_photo: int
    num_classes: int
    num_groups: int
    issues: tuple[RowIssue, ...]
    totals: CatalogueTotals

    def to_json(self) -> dict:
        """Return the report as plain data, the issues as a list of objects."""
        return asdict(self)

    def summary(self) -> list[str]:
        """Return the report in a few lines, for people."""
        totals = self.totals
        lines = [
            f"products: {self.num_added:,} added, {self.num_updated:,} updated, "
            f"{self.num_unchanged:,} unchanged; rows left out: {self.num_left_out:,}",
            f"of this file: {self.num_without_label:,} without label, "
            f"{self.num_without_photo:,} without photo; classes: {self.num_classes:,}; "
            f"groups (near-copies share one): {self.num_groups:,}",
            f"catalogue now: {totals.num_products:,} products, {totals.num_train:,} train, "
            f"{totals.num_val:,} val, {totals.num_test:,} test; classes: {totals.num_classes:,}",
        ]
        if totals.num_straddling_groups:
            lines.append(
                f"groups in several splits, because a file says so: "
                f"{totals.num_straddling_groups:,}; scores on them flatter the model"
            )
        return lines


def write_issues(report: ImportReport, path: Path) -> None:
    """Write the issues as a CSV file that a spreadsheet opens safely.

    Raises:
        WorkspaceError: if the file can't be written.
    """
    write_table(report.issues, path)


def build_report(merged: Merged, catalogue: Catalogue, issues: IssueLog) -> ImportReport:
    """Return the report on an import.

    Args:
        merged: counts and product ids of the import.
        catalogue: as it is stored now.
        issues: all remarks, those of `merged` included.
    """
    products = catalogue.products
    of_file = products[products["product_id"].isin(merged.file_ids)]
    return ImportReport(
        num_added=merged.num_added,
        num_updated=merged.num_updated,
        num_unchanged=merged.num_unchanged,
        num_left_out=issues.num_left_out,
        num_without_label=_num_empty(of_file["label"]),
        num_without_photo=_num_empty(of_file["photo"]),
        num_classes=_num_distinct(of_file["label"]),
        num_groups=_num_distinct(of_file["group_id"]),
        issues=issues.in_order(),
        totals=_totals(catalogue),
    )


def _totals(catalogue: Catalogue) -> CatalogueTotals:
    products = catalogue.products
    sizes = products["split"].value_counts()
    return CatalogueTotals(
        num_products=len(products),
        num_without_label=_num_empty(products["label"]),
        num_without_photo=_num_empty(products["photo"]),
        num_classes=len(catalogue.classes),
        num_groups=_num_distinct(products["group_id"]),
        num_straddling_groups=num_straddling_groups(products),
        num_train=int(sizes.get("train", 0)),
        num_val=int(sizes.get("val", 0)),
        num_test=int(sizes.get("test", 0)),
    )


def _num_empty(values: pd.Series) -> int:
    return int((values == "").sum())


def _num_distinct(values: pd.Series) -> int:
    return values[values != ""].nunique()
