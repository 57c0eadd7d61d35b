"""How a customer uses the page of each kind of extension."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from q2mfa_cli.platform.preview.extension import Extension
from q2mfa_cli.platform.preview.prove_script import ProveScriptError, load
from q2mfa_cli.platform.verify.check import Skipped
from q2mfa_cli.platform.verify.customers.customer import Customer
from q2mfa_cli.platform.verify.customers.login import LoginCustomer
from q2mfa_cli.platform.verify.customers.passcode import CODE, MessageCustomer
from q2mfa_cli.platform.verify.customers.scripted import Phone, ScriptedCustomer
from q2mfa_cli.platform.verify.dynamic.look import UsePage

if TYPE_CHECKING:
    from playwright.async_api import Frame

MAIN = '[data-part="main"]'


def use_page_of(extension: Extension, customer_class: type[Customer]) -> UsePage:
    """Return how the right customer uses the page: the ``use_page`` of ``prove.py``, or the function for a generated page.

    :raises Skipped: ``prove.py`` has no ``use_page``.
    """
    if issubclass(customer_class, ScriptedCustomer):
        return _of_script(extension)
    if issubclass(customer_class, LoginCustomer):
        return log_in
    return type_sent_code if issubclass(customer_class, MessageCustomer) else type_code


def _of_script(extension: Extension) -> UsePage:
    try:
        use_page: UsePage | None = getattr(load(extension), "use_page", None)
    except ProveScriptError as error:
        raise Skipped(f"{error}.") from error
    if use_page is None or not inspect.iscoroutinefunction(use_page):
        name = extension.name
        raise Skipped(
            "q2mfa does not know what a customer does in the page; "
            f"async def use_page(page, phone) in {name}/tests/prove.py would say it."
        )
    return use_page


async def type_code(page: Frame, phone: Phone) -> None:
    await page.locator("#passcode").fill(phone.code())
    await page.locator(MAIN).click()


async def type_sent_code(page: Frame, phone: Phone) -> None:
    await page.locator(MAIN).click()
    field = page.locator("#passcode")
    await field.click()  # it is there once the code was sent
    await field.fill(CODE.findall(phone.messages[-1]["text"])[-1])
    await page.locator(MAIN).click()


async def log_in(page: Frame, phone: Phone) -> None:
    await page.locator(MAIN).click()
    await page.locator("button[value=approve]").click()
