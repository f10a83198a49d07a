"""Everything that survives a restart: tables, ledger, audit log, jobs and blobs."""
