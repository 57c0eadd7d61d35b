"""Filters for the templates in this folder. They use Jinja's own only."""
