"""Whether there is a worker for everybody who walks, by the release that each walks on."""

from adapters.releases import Releases, Standing
from services.findings import Finding


async def without_workers(releases: Releases) -> list[Finding]:
    """A finding for each group of walks for which no worker asks. Raises Unavailable when Temporal does not tell."""
    standing = await releases.stand()
    asking = [each.name for each in standing.releases if each.workers]
    if not asking and not standing.unnamed:
        return [_none(standing)]
    left = [each for each in standing.releases if each.held and not each.workers and not each.current]
    found = [_gone(each.name, each.held).dated(await releases.waits(each.name)) for each in left]
    if standing.current not in asking if standing.current else not standing.unnamed:
        waits = await releases.waits(standing.current) if standing.current else standing.waits
        found.insert(0, _nobody_follows(standing, asking).dated(waits))
    return found


def _none(standing: Standing) -> Finding:
    return Finding.look(
        "no_workers",
        "walks are open, and no worker asks Temporal for work",
        "Start `tropa worker`, or read its log. Until then nothing is sent; nothing is lost.",
        count=standing.walks,
    ).dated(standing.waits)


def _nobody_follows(standing: Standing, asking: list[str]) -> Finding:
    """The release that walks follow has no worker; others do ask for work, and get none."""
    others = " or ".join(asking) or "NAME"
    release = f"the release {standing.current}" if standing.current else "workers without a release"
    start = f"workers with TROPA_RELEASE={standing.current}" if standing.current else "workers without TROPA_RELEASE"
    return Finding.look(
        "release_without_workers",
        f"walks follow {release}, and no such worker asks for work",
        f"Start {start}; or, with the code of a release whose workers ask, `tropa release {others}`.",
        count=standing.walks - sum(each.held for each in standing.releases if not each.current),
    )


def _gone(name: str, held: int) -> Finding:
    return Finding.look(
        "release_without_workers",
        f"walks stay on the release {name}, and no worker of it asks for work",
        f"Start one again, with TROPA_RELEASE={name} and its own code: docs/change-a-live-journey.md. Nobody is lost.",
        count=held,
    )
