"""Two profiles of one person become one: what they said about channels and topics, together."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import product

from domain.customers import Consent, ConsentStatus, in_force
from domain.messages import Channel


def joined(mine: Mapping[str, Consent], theirs: Mapping[str, Consent]) -> dict[str, Consent]:
    """The words of both by scope: the newest counts, at the same instant a refusal.

    But the strictest wins (F44): a no that was in force for either profile stays in force, as if said again with the
    yes that would have overruled it. A yes given after the merge takes it back.
    """
    together = dict(mine)
    for scope, word in theirs.items():
        known = together.get(scope, word)
        together[scope] = max(known, word, key=lambda each: (each.at, each.status is ConsentStatus.DENIED))
    topics = {scope.partition("/")[2] for scope in together}  # "" for what is about all topics
    for channel, topic in product(Channel, sorted(topics)):
        now = in_force(together, channel, topic)
        noes = [
            word
            for word in (in_force(mine, channel, topic), in_force(theirs, channel, topic))
            if word and word.status is ConsentStatus.DENIED
        ]
        if noes and now and now.status is ConsentStatus.GRANTED:
            scope = f"{channel.value}/{topic}" if topic else channel.value
            together[scope] = replace(max(noes, key=lambda each: each.at), at=now.at)
    return together
