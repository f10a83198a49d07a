"""``rushlight fsck``: checks everything that the service promises against what its stores hold."""
