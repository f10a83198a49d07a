"""Facts of a request, and the tests that agreements put to them."""
