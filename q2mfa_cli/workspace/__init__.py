"""A Q2 SDK workspace: how to find it, which names are taken, and how its own files change for an extension."""
