"""How a cell is run over time."""
