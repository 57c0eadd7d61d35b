"""The entry point of ``q2mfa`` and of ``python -m q2mfa_cli``."""

import gc
import io
import sys

from q2mfa_cli.cli import main


def run() -> None:
    """Run the command line, and exit."""
    for stream in (sys.stdout, sys.stderr):
        # On Windows, a pipe uses the system's code page, which cannot encode every character that q2mfa prints.
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")
    try:
        main(prog_name="q2mfa")
    finally:
        # Skips the garbage collection at exit, which takes a tenth of a short run.
        gc.freeze()


if __name__ == "__main__":
    run()
