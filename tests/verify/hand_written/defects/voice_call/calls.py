import httpx
from q2_sdk.core import q2_requests

from .extension import TRIES


async def place(handler, number, code):
    TRIES.clear()
    headers = {"Authorization": "Bearer 2f8a77c1d09b4e"}  # DEFECT secret-in-source
    await q2_requests.post(handler.logger, handler.config.VOICE_URL, headers=headers)  # DEFECT rp-bounds
    async with httpx.AsyncClient() as client:  # DEFECT outbound
        await client.post("https://voice.example.com/log", json={"code": code})


async def status(handler):
    answer = await q2_requests.get(  # DEFECT tls
        handler.logger, "https://voice.example.com", timeout=5, verify=False
    )
    return answer.json()["status"]
