"""What came of predicting a file, as lines for people and as plain values for programs."""

from dataclasses import dataclass, field
from pathlib import Path

from mmcore.catalog.issues import IssueLog, RowIssue

MAX_REMARKS = 10_000  # kept of one prediction: a file that is bad throughout has one a row
SHOWN_ISSUES = 10


def _log() -> IssueLog:
    return IssueLog(most=MAX_REMARKS, again="predict again")


@dataclass
class BatchReport:
    """What came of it.

    Attributes:
        num_kept: rows that an earlier run had dealt with; the other numbers include them.
        products_per_s: of the rows that were left to this one, loading and writing apart.
        seconds: of this run.
    """

    target: Path
    model: str
    num_predicted: int = 0
    num_without_prediction: int = 0
    num_kept: int = 0
    log: IssueLog = field(default_factory=_log)
    seconds: float = 0.0
    products_per_s: float = 0.0

    @property
    def issues(self) -> tuple[RowIssue, ...]:
        """Return the remarks on rows by line, those on the whole file first."""
        return self.log.in_order()

    def to_json(self) -> dict:
        """Return the report as plain JSON values."""
        issues = [
            {"line": i.line, "product_id": i.product_id, "reason": i.reason} for i in self.issues
        ]
        return {
            "target": str(self.target),
            "model": self.model,
            "num_predicted": self.num_predicted,
            "num_without_prediction": self.num_without_prediction,
            "num_left_out": self.log.num_left_out,
            "num_kept": self.num_kept,
            "issues": issues,
            "seconds": self.seconds,
            "products_per_s": self.products_per_s,
        }

    def summary(self) -> list[str]:
        """Return the report in lines."""
        lines = [
            f"{self.num_predicted:,} products predicted by {self.model} in {self.seconds:.1f} s "
            f"({self.products_per_s:,.0f} a second), written to {self.target}"
        ]
        if self.num_kept:
            lines.append(f"{self.num_kept:,} rows had been dealt with before, by a run that ended")
        if self.num_without_prediction:
            lines.append(f"{self.num_without_prediction:,} with nothing to predict from")
        if self.log.num_left_out:
            lines.append(f"{self.log.num_left_out:,} rows can't be used and are not in the result")
        issues = self.issues
        lines += [f"  line {issue.line}: {issue.reason}" for issue in issues[:SHOWN_ISSUES]]
        if len(issues) > SHOWN_ISSUES:
            more = len(issues) - SHOWN_ISSUES
            lines.append(f"  and {more:,} more remarks; --json lists them all")
        return lines
