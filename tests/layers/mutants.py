"""Ten mistakes that recurrent code makes, each one line of ours changed."""

import __future__

import inspect
import textwrap
from dataclasses import dataclass
from types import CodeType, FunctionType

from rnncli.cells.families.lstm import LSTM
from rnncli.engines.engine import Engine
from rnncli.engines.loop import LoopEngine
from rnncli.engines.reversal import Reversal, _Permutation


@dataclass(frozen=True)
class Mutant:
    """A function of ours with one line changed.

    Attributes:
        name: the mistake.
        function: where it is made.
        line: the line that is right; it stands once in the function.
        instead: the line that is wrong.
        caught_by: the checks that fail, all of them, by their letters in test_mutants.
    """

    name: str
    function: FunctionType
    line: str
    instead: str
    caught_by: str

    def code(self) -> CodeType:
        """The compiled function with the mistake in it."""
        source = textwrap.dedent(inspect.getsource(self.function))
        lines = [each.strip() for each in source.splitlines()]
        assert lines.count(self.line) == 1, f"{self.function.__qualname__} has no longer the line: {self.line}"
        wrong = source.replace(self.line, self.instead)
        flags = __future__.annotations.compiler_flag
        made: dict[str, FunctionType] = {}
        exec(compile(wrong, f"<{self.name}>", "exec", flags, dont_inherit=True), self.function.__globals__, made)
        found = made[self.function.__name__]
        return getattr(found, "__func__", found).__code__


MUTANTS = [
    Mutant(
        "never reverses",
        Engine.run,
        "turn = Reversal(inputs) if reverse and not self.by_lengths else None",
        "turn = None",
        "BD",
    ),
    Mutant(
        "input not flipped",
        Engine.run,
        "read = inputs if turn is None else turn(inputs)",
        "read = inputs",
        "BD",
    ),
    Mutant(
        "output not flipped back",
        Engine.run,
        "return made if turn is None else turn(made), last",
        "return made, last",
        "BD",
    ),
    Mutant(
        "flip that ignores lengths",
        Reversal.__init__,
        "if not sequences.full:",
        "if False:",
        "BDI",
    ),
    Mutant(
        "state not frozen at padding",
        LoopEngine._run,
        "if t >= shortest:",
        "if False:",
        "TBRJ",
    ),
    Mutant(
        "padding outputs not zeroed",
        LoopEngine._run,
        "return inputs.with_values(made).zeroed(), state if call.final_state else None",
        "return inputs.with_values(made), state if call.final_state else None",
        "TBJ",
    ),
    Mutant(
        "returns the old state",
        LoopEngine._run,
        "return inputs.with_values(made).zeroed(), state if call.final_state else None",
        "return inputs.with_values(made).zeroed(), call.state if call.final_state else None",
        "TBS",
    ),
    Mutant(
        "gates swapped",
        LSTM.step,
        "c = f * c + i * g",
        "c = i * c + f * g",
        "TB",
    ),
    Mutant(
        "state detached",
        LoopEngine._run,
        "new = cell.step(x, state, _products(matrices, call.masks.hidden), p, gates)",
        "new = cell.step(x, tuple(s.detach() for s in state), _products(matrices, call.masks.hidden), p, gates)",
        "TBGJ",
    ),
    Mutant(
        "right value with wrong gradient",
        _Permutation.backward,
        "return gradients[0].index_select(0, order), None",
        "return gradients[0], None",
        "BI",
    ),
]
