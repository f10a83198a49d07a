"""Moving an installation from one database and store to another."""
