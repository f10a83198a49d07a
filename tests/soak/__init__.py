"""The soak: every long test in full, part by part, going on where it was stopped."""
