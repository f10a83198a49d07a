"""Turning a fetched full text into a reader's copy."""
