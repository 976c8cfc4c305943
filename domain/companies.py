"""Companies that buy: several people decide, each with a part of their own (S19, S42)."""

from enum import StrEnum


class BuyingRole(StrEnum):
    """What part somebody has in their company's decision."""

    INITIATOR = "initiator"
    INFLUENCER = "influencer"
    GATEKEEPER = "gatekeeper"
    SIGNATORY = "signatory"
    BUYER = "buyer"
    USER = "user"
