from q2_sdk.core import q2_requests

STATUS_OK = 200


async def place(handler, number, code):
    options = {"json": {"to": number, "say": " ".join(code)}, "timeout": 5}
    headers = {"Authorization": f"Bearer {handler.config.VOICE_API_KEY}"}
    response = await q2_requests.post(handler.logger, handler.config.VOICE_URL, headers=headers, **options)
    status_code = response.status_code
    if status_code != STATUS_OK:
        raise ValueError(status_code)
