"""A generated redirect extension against OpenID providers: a certified one, and hostile ones."""
