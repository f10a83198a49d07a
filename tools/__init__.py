"""Tools of the house: they run from the checkout and are not installed."""
