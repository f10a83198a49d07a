"""The audit log's form: canonical leaves, their hashes, the chain over them, and how a log is checked."""
