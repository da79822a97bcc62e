"""The flow of publish-dataset."""

from prefect import flow

from tasks.publish_dataset import PublishedVersion, publish_run
from tasks.run_context import RunContext


@flow(name="publish-dataset", flow_run_name="publish-dataset {run.run_id}")
async def publish_dataset(run: RunContext) -> PublishedVersion:
    """What a run made becomes the next version of its dataset, if it is like the last one: gives `datasets/`."""
    return await publish_run(run)
