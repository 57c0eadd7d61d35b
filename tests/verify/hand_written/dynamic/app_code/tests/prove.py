async def prove(ask, phone, mfa_info):
    return {"route": "enter", "body": {"otp": phone.code()}}
