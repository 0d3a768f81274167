"""One step of a recurrent network, written as its equations. Nothing here but `weights` needs torch."""

from rnncli.cells.cell import CELLS, AnyCell, Cell, CellSettings, make_cell
from rnncli.cells.expressions import normalize, relu, sigmoid, tanh
from rnncli.cells.families import load_families

load_families()

__all__ = ["CELLS", "AnyCell", "Cell", "CellSettings", "make_cell", "normalize", "relu", "sigmoid", "tanh"]
