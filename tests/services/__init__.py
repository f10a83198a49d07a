"""Starts the real services that tests talk to: on loopback, with data that is thrown away."""
