"""How answers leave the serving process: one thread sends to all readers that are slower than we are."""
