"""What a file looks like, and the config that follows from it."""
