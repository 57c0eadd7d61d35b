"""A local fake of Q2's platform, which runs generated extensions where the Q2 SDK is not installed."""
