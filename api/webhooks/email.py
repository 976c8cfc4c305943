"""What comes back by mail: bounces and complaints, handed over by the mail server that receives them."""

from fastapi import APIRouter, Request
from pydantic import BaseModel

from api.access import allowed
from api.needs import House
from services.bounces import Returned

router = APIRouter(prefix="/webhooks/email", include_in_schema=False)


class Answer(BaseModel):
    """What became of a mail."""

    result: Returned


@router.post("/bounces", dependencies=[allowed("bounces:write")])
async def bounces(request: Request, house: House) -> Answer:
    """One mail as it came (message/rfc822). Whatever it is, it is taken, so that no server returns it once more."""
    return Answer(result=await house.bounces.take(await request.body()))
