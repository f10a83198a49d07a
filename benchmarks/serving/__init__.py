"""What serving copies costs (E19), with the service really served: python -m benchmarks --only E19."""
