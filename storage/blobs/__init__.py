"""Where files are kept: a local folder now, S3 behind the same interface."""
