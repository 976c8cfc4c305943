"""No CRM: what journeys say stays here, on timelines and in webhooks."""

from domain.crm import CrmAnswer, CrmUpdate


class NoCrm:
    """Takes everything and tells nobody."""

    name = "none"

    async def update(self, update: CrmUpdate) -> CrmAnswer:
        """Nothing to do."""
        return CrmAnswer(outcome="done", detail="no CRM is connected")

    async def close(self) -> None:
        """Nothing to give back."""
