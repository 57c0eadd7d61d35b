"""One module per command: from a request to what is reported."""
