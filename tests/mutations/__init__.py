"""Seeded bugs, each with the tests that must fail: the proof that the tests bite."""
