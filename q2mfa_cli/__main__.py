"""``python -m q2mfa_cli``, and what the ``q2mfa`` command runs."""

import gc

from q2mfa_cli.cli import main


def run() -> None:
    """Run the command line, and exit."""
    try:
        main(prog_name="q2mfa")
    finally:
        # Else the interpreter, as it ends, looks for garbage in all that was imported: a tenth of a short run.
        gc.freeze()


if __name__ == "__main__":
    run()
