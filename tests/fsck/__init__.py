"""What ``rushlight fsck`` finds."""
