"""Generated C for a whole layer over whole sequences, compiled on this machine."""
