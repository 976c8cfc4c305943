"""A sample is drawn by lot and never told as the whole; who is held on a release does not count as broken."""

from collections import Counter

from tropa.replaying.findings import Findings, data
from tropa.replaying.judging import Break, Judged, Kind
from tropa.replaying.walks import Running, by_lot, counted

WALKS = [Running(id=f"enr_{n}", run=f"run-{n}", journey="Rare" if n % 50 == 0 else "Often") for n in range(200)]


def judged(walk: Running, *, stays: bool = False) -> Judged:
    broken = Break(
        enrollment=walk.id, journey=walk.journey, kind=Kind.RAISES, event=9, wanted="TypeError", has="", problem=""
    )
    return Judged(id=walk.id, run=walk.run, journey=walk.journey, events=11, release="one", stays=stays, broken=broken)


def test_a_sample_takes_so_many_of_each_journey_and_the_same_ones_again() -> None:
    chosen = by_lot(WALKS, 10)

    assert counted(chosen) == {"Rare": 4, "Often": 10}
    assert set(chosen) == set(by_lot(reversed(WALKS), 10))
    assert set(chosen) & set(WALKS[:100]) and set(chosen) & set(WALKS[100:])  # of every age


def test_a_sample_is_not_told_as_the_whole() -> None:
    found = Findings(found=counted(WALKS), judged=[judged(walk) for walk in by_lot(WALKS, 10)])

    assert not found.whole
    assert [(each.journey, each.found, each.replayed, each.broken) for each in found.journeys] == [
        ("Often", 196, 10, 10),
        ("Rare", 4, 4, 4),
    ]
    assert [len(each.breaks) for each in found.alike] == [10, 4]
    assert (data(found)["found"], data(found)["replayed"], data(found)["would_break"]) == (200, 14, 14)


def test_who_is_held_on_a_release_breaks_nothing() -> None:
    found = Findings(found=Counter(Often=1), judged=[judged(WALKS[1], stays=True)])

    assert (found.exit_code, found.breaks, found.staying) == (0, [], 1)
