"""Where the values of a step stand in memory, as C expressions for the hidden `unit` of the row `at`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping

from rnncli.cells.expressions import Node
from rnncli.engines.native.plan import Plan
from rnncli.engines.native.schedule import Schedule

ROW = "at"
READ = frozenset({"input", "raw", "state", "vector", "mask", "incoming", "carry"})
"""Operations whose values are in memory before a step begins."""


class Places(ABC):
    """The places of one direction.

    Attributes:
        names: what values are called in the C code.
        temporary: values that are handed from phase to phase in places that no other step reads.
    """

    def __init__(self, plan: Plan, names: Mapping[Node, str], of: Schedule, elsewhere: set[Node]) -> None:
        self.plan, self.names, self.schedule = plan, names, of
        handed = [node for node in of.phase if node in of.stored and node not in elsewhere]
        self.temporary = {node: place for place, node in enumerate(handed)}

    @abstractmethod
    def written(self, node: Node) -> Iterator[str]:
        """Where a value is written by the phase that computes it."""

    @abstractmethod
    def terms(self, node: Node) -> list[str]:
        """The terms of a product of matrices: left matrix, stride, panel, depth."""

    @abstractmethod
    def statistics(self, node: Node) -> str:
        """Where the statistics of a row stand."""

    def address(self, node: Node, phase: int | None = None) -> str | None:
        """Where a phase reads a value that it does not compute itself; in None any later one."""
        computed = self.schedule.phase.get(node)
        if phase is not None and node.operation == "vector":  # written for each row only where rows are needed whole
            return self.before(node)
        if computed is not None and (phase is None or computed < phase):
            return next(self.written(node))
        if computed is not None and node.operation not in READ:
            return None
        return self.before(node)

    def before(self, node: Node) -> str | None:
        """Where a value stands that was there before the step."""
        states = self.plan.graph.states
        match node.operation:
            case "input":
                return self.kept(self.plan.kept.inputs[node.name])
            case "raw":
                return f"step->x + {ROW} * run->call->input_padded + unit"
            case "state":
                place = states.index(node.name)
                return f"step->old[{place}] + {ROW} * step->old_stride[{place}] + unit"
            case "vector":
                return f"run->vectors + {self.plan.graph.vectors.index(node.name)} * padded + unit"
            case "mask":
                return f"step->mask[{('hidden', *states).index(node.name)}] + {ROW} * padded + unit"
            case "incoming":
                return f"step->incoming + {ROW} * padded + unit"
            case "carry":
                return f"step->carry[{states.index(node.name)}] + {ROW} * padded + unit"
        return None

    def added(self, node: Node, phase: int) -> str | None:
        """What is added to a value that a phase reads: the bias of a block of the input projection."""
        has_it = self.schedule.phase.get(node, phase) < phase  # an earlier phase has written it elsewhere
        if node.operation != "input" or not self.plan.bias or has_it:
            return None
        return f"run->bias + {self.plan.graph.inputs.index(node.name)} * padded + unit"

    def kept(self, plane: int) -> str:
        """A plane of what is kept."""
        return f"step->kept + {ROW} * kept_row + {plane} * padded + unit"

    def handed(self, node: Node) -> Iterator[str]:
        """Where a value is handed to a later phase."""
        if node in self.temporary:
            yield f"group->temporary + {self.temporary[node]} * plane + {ROW} * padded + unit"

    def panel(self, block: str) -> str:
        """A panel of a recurrent block, and its depth."""
        return f"run->blocks_packed + ({self.plan.recurrent.index(block)} * padded + panel * PAIR) * hidden, hidden"

    def kept_statistics(self, node: Node) -> str:
        """The mean and the inverse deviation of what was normalized."""
        at = self.plan.normalized.index(node)
        return f"step->kept + {ROW} * kept_row + {self.plan.kept.count} * padded + {2 * at}"
