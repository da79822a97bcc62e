"""The flow of publish-dataset."""

from prefect import flow

from flows.failures import StageFailed, telling_what_to_do
from tasks.publish_dataset import PublishedVersion, publish_run
from tasks.run_context import RunContext


@flow(name="publish-dataset", flow_run_name="publish-dataset {run.run_id}")
async def publish_dataset(run: RunContext) -> PublishedVersion:
    """What a run made becomes the next version of its dataset, if it is like the last one: gives `datasets/`.

    Raises:
        StageFailed: the run belongs to no dataset, what it made has drifted, or something cannot be written.
    """
    if run.config.incremental is None:
        hint = "name the dataset in `incremental.dataset` of the run's config"
        raise StageFailed("publish-dataset", f"{run.run_id} adds to no dataset", hint)
    with telling_what_to_do("publish-dataset"):
        return await publish_run(run)
