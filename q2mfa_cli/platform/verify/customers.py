"""Which customer an extension has."""

from __future__ import annotations

from q2mfa_cli.integrations import REDIRECT, generated_integration
from q2mfa_cli.platform.preview import phone
from q2mfa_cli.platform.preview.extension import Extension
from q2mfa_cli.platform.preview.prove_script import script_of
from q2mfa_cli.platform.verify import own, redirect, standard
from q2mfa_cli.platform.verify.customer import Customer


def customer_class_of(extension: Extension) -> type[Customer]:
    """Return the class of the customer who proves who they are to *extension*: by its ``prove.py`` if it has one."""
    if script_of(extension).is_file() or not generated_integration(extension.folder):
        return own.OwnCustomer
    if phone.sends_messages(extension):
        return standard.MessageCustomer
    return redirect.LoginCustomer if extension.integration is REDIRECT else standard.PasscodeCustomer
