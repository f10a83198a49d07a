"""Every change of the schema, in sequence."""
