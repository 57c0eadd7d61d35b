"""One module per command. Its functions carry out the command, and return a value to report."""
