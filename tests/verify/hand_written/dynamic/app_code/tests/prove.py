async def prove(ask, phone, mfa_info):
    return {"route": "enter", "body": {"otp": phone.code()}}


async def use_page(page, phone):
    await page.get_by_label("The six digits").fill(phone.code())
    await page.get_by_role("button", name="Go on").click()
