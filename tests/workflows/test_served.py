"""Whatever a journey may ask for, the worker serves."""

from activities.people import PeopleActivities
from activities.sending import SendingActivities
from activities.walking import WalkingActivities
from tropa.rehearsal.sdk import activity_definition
from tropa.wiring import House


def names(of: list[object]) -> set[str]:
    return {activity_definition(each)[0] for each in of if hasattr(each, "__temporal_activity_definition")}  # type: ignore[arg-type]


async def test_every_activity_of_the_verbs_is_served(house: House) -> None:
    verbs = [each for kind in (SendingActivities, WalkingActivities, PeopleActivities) for each in vars(kind).values()]

    assert "local_time" in names(verbs)
    assert names(verbs) <= names(house.activities())
