import re


async def prove(ask, phone, mfa_info):
    await ask("text_me")
    return {"route": "compare", "body": {"entered": re.findall(r"\d+", phone.messages[-1]["text"])[0]}}
