"""A stand-in for Q2's private SDK: its documented surface, on real Tornado, as strict as the platform.

It exists to run generated extensions and their tests where the SDK is not installed. It is put on a child process's
``sys.path`` only, and only where no real ``q2_sdk`` can be imported. Facts are marked as in docs/platform.md:
[seed] [docs] [seen], and [guess] where nobody could look it up.
"""

__version__ = "0+stand.in"
