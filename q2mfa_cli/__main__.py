"""``python -m q2mfa_cli``."""

from q2mfa_cli.cli import main

if __name__ == "__main__":
    main(prog_name="q2mfa")
