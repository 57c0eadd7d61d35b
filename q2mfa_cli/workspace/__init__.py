"""A Q2 SDK workspace: where it is, which names are taken, and how its own files change when an extension joins."""
