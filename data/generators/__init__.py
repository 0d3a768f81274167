"""One file a sample; each has `files()`, the names of its files and what is in them."""
