"""HubSpot, by its official client: the contact knows stage and outcome, the owner gets the task.

Contacts are found by their e-mail address, tasks by our own id of them in the property `tropa_task`: each call sets
what is to be, so telling an update again changes nothing. The client is synchronous: it runs in threads of its own,
with a timeout for each call and without retries. Unproven against the service itself: see docs/people.md.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import urllib3
from hubspot import HubSpot
from hubspot.crm import contacts, owners
from hubspot.crm.association_type import AssociationType
from hubspot.crm.objects import tasks

from adapters.channels.waits import asked_by
from domain.crm import CrmAnswer, CrmTask, CrmUpdate

TIMEOUT = 10.0  # seconds for one call
WHOLE_UPDATE = 60.0  # seconds; at most six calls
THREADS = 4
BUSY_FOR = timedelta(seconds=10)  # HubSpot counts by ten seconds, where it does not say itself
OWNERS_LAST = 3600.0  # seconds for which it is remembered who is who
NOT_OURS, NO_SUCH, TAKEN, BUSY = (401, 403), 404, 409, 429
ApiError = (contacts.ApiException, tasks.ApiException, owners.ApiException)
log = logging.getLogger(__name__)


class HubSpotCrm:
    """One HubSpot account, by the token of a private app. `base_url` replaces HubSpot's own, for tests."""

    name = "hubspot"

    def __init__(self, token: str, *, base_url: str = "", timeout: float = TIMEOUT) -> None:
        options: dict[str, Any] = {"access_token": token, "retry": False}
        client = HubSpot(**options, **({"host": base_url} if base_url else {}))
        self._contacts, self._owners = client.crm.contacts.basic_api, client.crm.owners.owners_api
        self._tasks = client.crm.objects.tasks.basic_api
        self._timeout = timeout
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="hubspot")
        self._known: dict[str, tuple[float, str | None]] = {}

    async def update(self, update: CrmUpdate) -> CrmAnswer:
        """See `services.crm.Crm`."""
        if not update.email:
            return CrmAnswer(
                outcome="refused", detail="the customer has no e-mail address, by which HubSpot knows people"
            )
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(WHOLE_UPDATE):
                await loop.run_in_executor(self._threads, self._update, update, update.email)
        except ApiError as error:
            return _refusal(error)
        except TimeoutError:
            return CrmAnswer(outcome="later", detail="HubSpot did not answer in time")
        except (urllib3.exceptions.HTTPError, OSError) as error:
            return CrmAnswer(outcome="later", detail=f"HubSpot did not answer ({type(error).__name__})")
        except (ValueError, LookupError, AttributeError, TypeError) as error:
            return CrmAnswer(outcome="later", detail=f"HubSpot's answer cannot be read ({type(error).__name__})")
        return CrmAnswer(outcome="done", detail="HubSpot has it")

    async def close(self) -> None:
        """Wait for nothing: what is under way ends by its timeouts."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    # In a thread -----------------------------------------------------------------------------------------------------

    def _update(self, update: CrmUpdate, email: str) -> None:
        said = {
            "tropa_customer": update.customer_id,
            "tropa_journey": update.journey,
            "tropa_stage": update.stage,
            "tropa_outcome": update.outcome,
            "hubspot_owner_id": self._owner(update.owner),
        }
        contact = self._contact(email, {name: value for name, value in said.items() if value})
        if update.task:
            self._task(contact, update.task)

    def _contact(self, email: str, properties: dict[str, str]) -> str:
        """Our id of a contact is their address. Answers HubSpot's."""

        def change() -> Any:
            wanted = contacts.SimplePublicObjectInput(properties=properties)
            return self._contacts.update(email, wanted, id_property="email", _request_timeout=self._timeout)

        def create() -> Any:
            wanted = contacts.SimplePublicObjectInputForCreate(properties={**properties, "email": email})
            return self._contacts.create(wanted, _request_timeout=self._timeout)

        return _put(change, create)

    def _task(self, contact: str, task: CrmTask) -> str:
        said = {
            "hs_task_subject": task.title,
            "hs_task_body": task.text,
            "hs_timestamp": task.due_at.isoformat(),
            "hs_task_status": "COMPLETED" if task.outcome else "NOT_STARTED",
            "hubspot_owner_id": self._owner(task.owner),
        }
        properties = {name: value for name, value in said.items() if value}
        about = tasks.PublicAssociationsForObject(
            to=tasks.PublicObjectId(id=contact),
            types=[
                tasks.AssociationSpec(
                    association_category="HUBSPOT_DEFINED", association_type_id=AssociationType.TASK_TO_CONTACT
                )
            ],
        )

        def change() -> Any:
            wanted = tasks.SimplePublicObjectInput(properties=properties)
            return self._tasks.update(str(task.id), wanted, id_property="tropa_task", _request_timeout=self._timeout)

        def create() -> Any:
            wanted = tasks.SimplePublicObjectInputForCreate(
                properties={**properties, "tropa_task": str(task.id)}, associations=[about]
            )
            return self._tasks.create(wanted, _request_timeout=self._timeout)

        return _put(change, create)

    def _owner(self, email: str | None) -> str | None:
        """HubSpot's id of a colleague, if they are one there."""
        if not email:
            return None
        since, owner = self._known.get(email, (0.0, None))
        if not since or time.monotonic() - since > OWNERS_LAST:
            found = self._owners.get_page(email=email, limit=1, _request_timeout=self._timeout).results
            owner = str(found[0].id) if found else None
            self._known[email] = (time.monotonic(), owner)
        return owner


def _put(change: Callable[[], Any], create: Callable[[], Any]) -> str:
    """Change what is there, or else create it. Answers HubSpot's id of it."""
    try:
        return _id(change())
    except ApiError as error:
        if error.status != NO_SUCH:
            raise
    try:
        return _id(create())
    except ApiError as error:
        if error.status != TAKEN:
            raise
    return _id(change())  # somebody created it meanwhile


def _id(made: Any) -> str:
    """HubSpot's id. The client makes an object of whatever it is answered, and leaves out what is missing."""
    if not isinstance(made.id, str) or not made.id:
        raise ValueError("an answer without an id")
    return made.id


def _refusal(error: Any) -> CrmAnswer:
    status = int(error.status or 0)
    said = f"HubSpot answered {status}"
    if status == BUSY:
        wait = asked_by((error.headers or {}).get("Retry-After", "")) or BUSY_FOR
        return CrmAnswer(outcome="later", detail=f"{said}: too much at once", busy_for=wait)
    if status in NOT_OURS:
        log.error("HubSpot does not accept our token", extra={"status": status})
        return CrmAnswer(outcome="later", detail=f"{said}: it does not accept our token, or not for this")
    if status in (0, TAKEN, 423) or status >= 500:
        return CrmAnswer(outcome="later", detail=said)
    return CrmAnswer(outcome="refused", detail=said)
