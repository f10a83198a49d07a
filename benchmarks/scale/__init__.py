"""A database of N deliveries, and what its pages take there against a small one: python -m benchmarks.scale."""
