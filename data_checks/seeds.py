"""What is expected of the table `seeds`."""

# Great Expectations exports its classes without saying so to type checkers.
# pyright: reportPrivateImportUsage=false

from pathlib import Path

import great_expectations.expectations as gxe

from data_checks.expectations import expect
from data_checks.frames import Record, RowChecks, parse_json, read_frame
from data_checks.parents import Parents
from data_checks.shape import check_rows, list_shape_expectations
from data_checks.suite import Suite, SuiteFrame
from schemas.config import RunConfig
from schemas.databases import Database
from schemas.rows import TableRef
from schemas.seeds import DialogueSeed, DomainSeed, ToolSeed

TABLE = "seeds"


def build_suite(reference: TableRef, parents: Parents, config: RunConfig) -> Suite:
    """At least one row per source of the config, one per domain; each describes something to make dialogues of."""
    own = RowChecks(rules={"content_describes_a_source": _find_content_problem})
    checks = check_rows(TABLE, {}, parents, own)
    expectations = [
        *list_shape_expectations(TABLE, checks),
        expect(gxe.ExpectColumnValuesToBeUnique, "domain_is_unique", column="domain"),
        expect(
            gxe.ExpectColumnUniqueValueCountToBeBetween,
            "every_source_has_a_seed",
            column="source",
            min_value=len(config.sources),
        ),
        expect(
            gxe.ExpectColumnValuesToBeBetween,
            "source_is_in_the_config",
            column="source",
            min_value=0,
            max_value=len(config.sources) - 1,
        ),
    ]
    return Suite([SuiteFrame(TABLE, read_frame(Path(reference.path), TABLE, checks), expectations)])


def _find_content_problem(record: Record) -> str | None:
    content = parse_json(record, "content")
    match record["kind"]:
        case "sql":
            return None if Database.model_validate(content).tables else "the database has no tables"
        case "tools" | "mcp" | "openapi":
            return None if ToolSeed.model_validate(content).tools else "there are no tools"
        case "dialogues":
            return None if DialogueSeed.model_validate(content).openings else "there are no conversations"
        case "domain":
            return None if DomainSeed.model_validate(content).tools else "the domain has no tools"
        case other:
            return f"there is no kind of source {other!r}"
