"""Choose the customer for an extension."""

from __future__ import annotations

from q2mfa_cli.integrations import REDIRECT, generated_integration
from q2mfa_cli.platform.preview import phone
from q2mfa_cli.platform.preview.extension import Extension
from q2mfa_cli.platform.preview.prove_script import script_of
from q2mfa_cli.platform.verify.customers.customer import Customer
from q2mfa_cli.platform.verify.customers.login import LoginCustomer
from q2mfa_cli.platform.verify.customers.passcode import MessageCustomer, PasscodeCustomer
from q2mfa_cli.platform.verify.customers.scripted import ScriptedCustomer


def customer_class_of(extension: Extension) -> type[Customer]:
    """Return the class of customer that *extension* needs. An extension's own ``prove.py`` takes precedence."""
    if script_of(extension).is_file() or not generated_integration(extension.folder):
        return ScriptedCustomer
    if phone.sends_messages(extension):
        return MessageCustomer
    return LoginCustomer if extension.integration is REDIRECT else PasscodeCustomer
