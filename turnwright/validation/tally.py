"""Counts what a check of many rows found, while they pass by."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from schemas.checking import FileReport, RowReport, RuleTally
from schemas.findings import Finding

_EXAMPLES = 3
_REJECTIONS = 20
_LONGEST = 200


@dataclass
class _Count:
    findings: int = 0
    rows: int = 0
    examples: list[str] = field(default_factory=list[str])


@dataclass
class Tally:
    """The figures so far; rows themselves are not kept."""

    outcomes: Counter[str] = field(default_factory=Counter[str])
    rules: dict[tuple[str, str, bool], _Count] = field(default_factory=dict[tuple[str, str, bool], _Count])
    rejections: list[str] = field(default_factory=list[str])
    reasons: Counter[str] = field(default_factory=Counter[str])

    def add(self, report: RowReport) -> None:
        """Takes one row in."""
        self.outcomes[report.outcome] += 1
        if report.problem is not None:
            self.reasons[report.problem[:_LONGEST]] += 1
            if len(self.rejections) < _REJECTIONS:
                self.rejections.append(f"{report.row}: {report.problem[:_LONGEST]}")
        seen: set[tuple[str, str, bool]] = set()
        for finding in report.findings:
            key = (finding.layer, finding.code, finding.blocks)
            count = self.rules.setdefault(key, _Count())
            count.findings += 1
            if key in seen:
                continue
            seen.add(key)
            count.rows += 1
            if len(count.examples) < _EXAMPLES:
                count.examples.append(_tell(report.row, finding))

    def finish(
        self, kind: Literal["dialogues", "table"], table: str | None = None, not_checked: tuple[str, ...] = ()
    ) -> FileReport:
        """All figures."""
        read = sum(self.outcomes.values()) - self.outcomes["rejected"]
        rules = [
            RuleTally(
                layer=layer,
                code=code,
                blocks=blocks,
                findings=count.findings,
                rows=count.rows,
                share=round(count.rows / read, 4),
                examples=tuple(count.examples),
            )
            for (layer, code, blocks), count in self.rules.items()
        ]
        rules.sort(key=lambda rule: (not rule.blocks, -rule.rows, -rule.findings, rule.layer, rule.code))
        return FileReport(
            kind=kind,
            table=table,
            rows=sum(self.outcomes.values()),
            clean=self.outcomes["clean"],
            remarked=self.outcomes["remarked"],
            wrong=self.outcomes["wrong"],
            rejected=self.outcomes["rejected"],
            not_checked=not_checked,
            rules=tuple(rules),
            rejections=tuple(self.rejections),
            rejected_for=dict(sorted(self.reasons.items(), key=lambda pair: (-pair[1], pair[0]))[:_REJECTIONS]),
        )


def _tell(row: int, finding: Finding) -> str:
    place = f"{row}" if finding.message is None else f"{row}, message {finding.message}"
    return f"{place}: {finding.explanation[:_LONGEST]}"
