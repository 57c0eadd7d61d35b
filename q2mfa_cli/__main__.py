"""``python -m q2mfa_cli``, and what the ``q2mfa`` command runs."""

import gc
import io
import sys

from q2mfa_cli.cli import main


def run() -> None:
    """Run the command line, and exit."""
    for stream in (sys.stdout, sys.stderr):
        # On Windows, a pipe uses the system's code page, which has no arrow.
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")
    try:
        main(prog_name="q2mfa")
    finally:
        # Otherwise the interpreter, when it exits, collects garbage in everything that was imported: a tenth of a short run.
        gc.freeze()


if __name__ == "__main__":
    run()
