"""The promises of the PDF engine, measured beside its peers: python -m benchmarks.pdf_engine [--smoke] [--write] [--huge]."""
