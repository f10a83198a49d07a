"""One use case a file: what people and workers can make happen."""
