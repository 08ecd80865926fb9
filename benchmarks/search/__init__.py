"""Searches compared on a table of trained configurations."""
