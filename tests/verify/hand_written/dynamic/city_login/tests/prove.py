CALLBACK = "back.html"


def configuration(provider):
    return {
        "OIDC_URL": provider.issuer,
        "OIDC_CLIENT": provider.client_id,
        "OIDC_SECRET": provider.client_secret,
    }


async def prove(ask, phone, mfa_info):
    left = await ask("leave")
    return {"route": "came_back", "body": await phone.log_in(left["go_to"])}


async def use_page(page, phone):
    await page.get_by_role("button", name="Log in with the city").click()
    await page.get_by_role("button", name="Approve").click()
