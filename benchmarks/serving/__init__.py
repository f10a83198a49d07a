"""What serving copies costs (E19), with the service really served: python -m benchmarks --only E19."""

from benchmarks.serving.bars import rows

__all__ = ["rows"]
