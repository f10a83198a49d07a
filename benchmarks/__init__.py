"""Performance promises, measured as ratios: python -m benchmarks [--smoke]."""
