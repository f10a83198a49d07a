"""What operators are given to install by."""
