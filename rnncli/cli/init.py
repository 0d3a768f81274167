"""`rnncli init`."""
