"""Has Prefect call a webhook when a data check stops a run: `python examples/operate/gate_alert.py URL`.

Needs PREFECT_API_URL. Makes a block with the address and an automation that waits for the event of a failed gate; run
again, it changes them. The receiver gets JSON: run, gate, failures, report.
"""

import asyncio
import sys

from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import get_client
from prefect.events.actions import CallWebhook
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from pydantic import SecretStr

NAME = "turnwright-gate-failed"
PAYLOAD = """{
  "text": "turnwright: the gate after {{ event.payload.gate }} stopped {{ event.payload.run_id }}",
  "run": {{ event.payload.run_id | tojson }},
  "gate": {{ event.payload.gate | tojson }},
  "failures": {{ event.payload.failures | tojson }},
  "report": {{ event.payload.report | tojson }}
}"""


async def make_alert(url: str) -> None:
    """Makes or changes the webhook and its automation."""
    webhook = Webhook(method="POST", url=SecretStr(url))
    block_id = await webhook.save(NAME, overwrite=True)  # pyright: ignore[reportGeneralTypeIssues] awaited where a loop runs
    alert = AutomationCore(
        name=NAME,
        description="Tells a webhook of every data check that stopped a run.",
        trigger=EventTrigger(
            expect={"turnwright.gate.failed"},
            match={"prefect.resource.id": "turnwright.run.*"},
            posture=Posture.Reactive,
            threshold=1,
        ),
        actions=[CallWebhook(block_document_id=block_id, payload=PAYLOAD)],
    )
    async with get_client() as client:
        for old in await client.read_automations_by_name(NAME):
            await client.delete_automation(old.id)
        await client.create_automation(alert)
    print(f"automation {NAME} calls the webhook of block webhook/{NAME}")


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1].startswith(("http://", "https://")):
        sys.exit("usage: python examples/operate/gate_alert.py https://…")
    asyncio.run(make_alert(sys.argv[1]))
