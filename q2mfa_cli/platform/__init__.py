"""The local platform: a stand-in for what cannot be installed, to run generated extensions on."""
