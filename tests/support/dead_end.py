"""A journey of the tests' own with a message that cannot go, a condition that is never true, and a mistake."""

from temporalio import workflow

from workflows.toolkit import Enrollment, Journey, Outcome, Plan, days


@workflow.defn
class DeadEnd(Journey):
    """Knock three times."""

    plan = Plan(
        starts_on=("door_found", "door_shown"),
        hears=("knocked",),
        goal="let_in",
        properties={"knocked": {"times": int}},
        experiments={"door": ("open", "shut")},
    )

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        if enrollment.cause == "door_shown":
            await self.send("come_in")
        if await self.variant("door") == "ajar":
            await self.send("never")
        while heard := await self.wait_for("knocked", within=days(3)):
            if heard.properties.get("times", 0) > 3:
                raise RuntimeError("too loud")
            await self.send("who_is_there")
        customer = await self.customer()
        await self.send("goodbye")
        if customer.activated_at:
            await self.send("we_know_you")
        return Outcome.LAPSED
