"""Sources of full texts, one file each, all of the same shape, and the one guarded HTTP client."""
