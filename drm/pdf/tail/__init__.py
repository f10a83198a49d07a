"""The tail engine: a document is prepared once into a master, and each copy is the master and a small tail of its own."""
