"""A run and its stages as OpenLineage events: a job for the run, one for each stage with the tables it read and wrote.

Facets of a table: its columns, its digest as its version, rows and bytes, empty values and bounds of each column (from
the Parquet footer, so no row is read), and what its gate asserted. Run ids are made of the run's own id, so whoever
sends events again names the same run.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    JobFacet,
    RunFacet,
    data_quality_assertions_dataset,
    data_quality_metrics_dataset,
    dataset_version_dataset,
    error_message_run,
    input_statistics_input_dataset,
    job_type_job,
    output_statistics_output_dataset,
    parent_run,
    processing_engine_run,
    schema_dataset,
    set_producer,
    tags_run,
)

from schemas.rows import TableRef
from schemas.tables import arrow_schema

PRODUCER: Final = "urn:turnwright"
_ROOT: Final = uuid.uuid5(uuid.NAMESPACE_URL, PRODUCER)
_LONGEST_MESSAGE: Final = 4000

set_producer(PRODUCER)


@dataclass(frozen=True)
class RunName:
    """The run that events tell about."""

    namespace: str
    """Of its jobs."""
    job: str
    """Name of the config."""
    place: str
    """The runs folder."""
    run_id: str
    version: str
    """Of turnwright."""

    @property
    def uuid(self) -> str:
        """The run's id as OpenLineage wants it."""
        return str(uuid.uuid5(_ROOT, f"{self.place}/{self.run_id}"))

    def stage_uuid(self, stage: str) -> str:
        """The id of one of its stages."""
        return str(uuid.uuid5(_ROOT, f"{self.place}/{self.run_id}/{stage}"))


@dataclass(frozen=True)
class Asserted:
    """One expectation of a gate, and whether it held."""

    table: str
    expectation: str
    column: str | None
    level: str
    passed: bool
    figure: str
    limit: str


def tell_run(
    name: RunName, state: RunState, time: datetime, *, tags: Mapping[str, str] | None = None, error: str | None = None
) -> RunEvent:
    """The event of a run that begins or ends."""
    facets: dict[str, RunFacet] = {"processing_engine": _name_engine(name)}
    if tags:
        fields = [tags_run.TagsRunFacetFields(key=key, value=value, source="turnwright") for key, value in tags.items()]
        facets["tags"] = tags_run.TagsRunFacet(tags=fields)
    if error:
        facets["errorMessage"] = _say_error(error)
    return RunEvent(
        eventType=state,
        eventTime=time.isoformat(timespec="milliseconds"),
        run=Run(runId=name.uuid, facets=facets),
        job=Job(namespace=name.namespace, name=name.job, facets=_describe_job("DAG")),
        producer=PRODUCER,
        inputs=[],
        outputs=[],
    )


def tell_stage(
    name: RunName,
    stage: str,
    state: RunState,
    time: datetime,
    *,
    inputs: Sequence[InputDataset] = (),
    outputs: Sequence[OutputDataset] = (),
    error: str | None = None,
) -> RunEvent:
    """The event of a stage that begins or ends."""
    facets: dict[str, RunFacet] = {
        "parent": parent_run.ParentRunFacet(
            run=parent_run.Run(runId=name.uuid),
            job=parent_run.Job(namespace=name.namespace, name=name.job),
        ),
        "processing_engine": _name_engine(name),
    }
    if error:
        facets["errorMessage"] = _say_error(error)
    return RunEvent(
        eventType=state,
        eventTime=time.isoformat(timespec="milliseconds"),
        run=Run(runId=name.stage_uuid(stage), facets=facets),
        job=Job(namespace=name.namespace, name=f"{name.job}.{stage}", facets=_describe_job("TASK")),
        producer=PRODUCER,
        inputs=list(inputs),
        outputs=list(outputs),
    )


def describe_input(table: TableRef) -> InputDataset:
    """A table that a stage read."""
    namespace, place = name_dataset(table.path)
    return InputDataset(
        namespace=namespace,
        name=place,
        facets={"schema": _describe_schema(table.table), "version": _describe_version(table.sha256)},
        inputFacets={
            "inputStatistics": input_statistics_input_dataset.InputStatisticsInputDatasetFacet(
                rowCount=table.rows,
                size=_measure_size(table.path),
                fileCount=1,
            )
        },
    )


def describe_source(locator: str) -> InputDataset:
    """A source that seeds were collected from; its locator holds no secret."""
    namespace, place = name_dataset(locator)
    return InputDataset(namespace=namespace, name=place)


def describe_output(table: TableRef, asserted: Iterable[Asserted] = ()) -> OutputDataset:
    """A table that a stage wrote, with what its gate found."""
    namespace, place = name_dataset(table.path)
    size = _measure_size(table.path)
    facets: dict[str, Any] = {
        "schema": _describe_schema(table.table),
        "version": _describe_version(table.sha256),
        "dataQualityMetrics": data_quality_metrics_dataset.DataQualityMetricsDatasetFacet(
            rowCount=table.rows,
            bytes=size,
            fileCount=1,
            columnMetrics=measure_columns(table.path),
        ),
    }
    assertions = [
        data_quality_assertions_dataset.Assertion(
            assertion=one.expectation,
            success=one.passed,
            column=one.column,
            severity="error" if one.level == "fail" else "warn",
            actual=one.figure,
            expected=one.limit,
        )
        for one in asserted
        if one.table == table.table
    ]
    if assertions:
        facets["dataQualityAssertions"] = data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(
            assertions=assertions,
        )
    return OutputDataset(
        namespace=namespace, name=place, facets=facets, outputFacets={"outputStatistics": _count(table.rows, size)}
    )


def describe_folder(folder: str, version: str, rows: int, size: int, files: int) -> OutputDataset:
    """A folder that was written: an export, or a version of a dataset."""
    namespace, place = name_dataset(folder)
    return OutputDataset(
        namespace=namespace,
        name=place,
        facets={"version": _describe_version(version)},
        outputFacets={"outputStatistics": _count(rows, size, files)},
    )


def name_dataset(place: str) -> tuple[str, str]:
    """Namespace and name of a file, folder or URL, as OpenLineage names them: `file` and a path, or scheme and host."""
    parts = urlsplit(place) if "://" in place else None
    if parts is None or parts.scheme == "file":
        return "file", place if parts is None else parts.path
    host = (parts.netloc.rpartition("@")[2]) if parts.netloc else ""
    return f"{parts.scheme}://{host}", parts.path.lstrip("/") or "/"


def measure_columns(path: str) -> dict[str, data_quality_metrics_dataset.ColumnMetrics]:
    """Empty values and bounds of each plain column, from the footer of a Parquet file; none where it has no footer."""
    try:
        metadata = cast("Any", pq.read_metadata(path))
    except (OSError, pa.ArrowInvalid):
        return {}
    found: dict[str, data_quality_metrics_dataset.ColumnMetrics] = {}
    for position in range(metadata.num_columns):
        name = metadata.schema.column(position).path
        if "." in name:
            continue  # items of a list are no column
        groups = [metadata.row_group(number).column(position) for number in range(metadata.num_row_groups)]
        told = [group.statistics for group in groups if group.statistics is not None]
        if not told or len(told) < len(groups):
            continue
        bounds = [one for one in told if one.has_min_max and isinstance(one.min, int | float)]
        nulls = [one.null_count for one in told if one.has_null_count]
        found[name] = data_quality_metrics_dataset.ColumnMetrics(
            nullCount=sum(nulls) if len(nulls) == len(told) else None,
            count=float(sum(one.num_values for one in told)),
            min=min((float(one.min) for one in bounds), default=None),
            max=max((float(one.max) for one in bounds), default=None),
        )
    return found


def _describe_schema(table: str) -> schema_dataset.SchemaDatasetFacet:
    columns = cast("Iterable[pa.Field[Any]]", arrow_schema(table))
    fields = [schema_dataset.SchemaDatasetFacetFields(name=one.name, type=str(one.type)) for one in columns]
    return schema_dataset.SchemaDatasetFacet(fields=fields)


def _describe_version(digest: str) -> dataset_version_dataset.DatasetVersionDatasetFacet:
    return dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=digest)


def _count(
    rows: int, size: int | None, files: int = 1
) -> output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet:
    return output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
        rowCount=rows,
        size=size,
        fileCount=files,
    )


def _measure_size(path: str) -> int | None:
    try:
        return Path(path).stat().st_size
    except OSError:
        return None


def _describe_job(kind: str) -> dict[str, JobFacet]:
    return {
        "jobType": job_type_job.JobTypeJobFacet(
            processingType="BATCH",
            integration="TURNWRIGHT",
            jobType=kind,
        )
    }


def _name_engine(name: RunName) -> processing_engine_run.ProcessingEngineRunFacet:
    return processing_engine_run.ProcessingEngineRunFacet(version=name.version, name="turnwright")


def _say_error(error: str) -> error_message_run.ErrorMessageRunFacet:
    return error_message_run.ErrorMessageRunFacet(
        message=error[:_LONGEST_MESSAGE],
        programmingLanguage="python",
    )
