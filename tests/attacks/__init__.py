"""A generated redirect extension against OpenID providers: a real one, and one that lies."""
