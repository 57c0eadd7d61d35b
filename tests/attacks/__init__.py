"""A generated redirect extension against hostile OpenID providers."""
