"""The C code of a cell: its constants and its step in both directions, around the headers of `runtime`."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from rnncli.cells.expressions import EPSILON, Node, in_order
from rnncli.engines.native.backward_code import Backward
from rnncli.engines.native.call import declaration
from rnncli.engines.native.forward_code import Forward
from rnncli.engines.native.plan import Plan

Real = Literal["float", "double"]


def source(plan: Plan, real: Real, title: Iterable[str], names: Mapping[Node, str]) -> str:
    """The C code of a plan.

    Args:
        title: lines for a comment: the equations.
        names: what values are called there.
    """
    in_c = {node: re.sub(r"\W", "_", name) + "_t" for node, name in names.items()}
    forward, backward = Forward(plan, in_c), Backward(plan, in_c)
    lines = [
        *(f"// {line}" for line in title),
        "",
        f"#define REAL {real}",
        '#include "vector.h"',
        "",
        *_constants(plan, forward, backward),
        "",
        declaration(),
        "",
        '#include "stepper.h"',
        "",
        *_function("forward_step", forward.phases()),
        "",
        *_function("backward_step", backward.phases()),
        "",
    ]
    return "\n".join(lines)


def _constants(plan: Plan, forward: Forward, backward: Backward) -> Iterator[str]:
    """What the runtime is told of the cell."""
    graph, kept = plan.graph, plan.kept
    masks = {node.name for node in in_order([*graph.state, *plan.forward.phase]) if node.operation == "mask"}
    gates = [kept.planes[gate.value] for gate in graph.gates] if plan.recorded else []
    operands = list(_operands(plan))
    raw, output = plan.derivatives.raw, plan.derivatives.output
    numbers = {
        "INPUTS": len(graph.inputs),
        "BLOCKS": len(plan.recurrent),
        "STATES": len(graph.states),
        "VECTORS": len(graph.vectors),
        "SUMS": len(graph.inputs) * plan.bias + len(graph.vectors),
        "MASKS": sum(1 << place for place, name in enumerate(("hidden", *graph.states)) if name in masks),
        "KEPT": kept.count,
        "SLOPES": len(plan.slopes),
        "TEMPORARIES": len(forward.temporary),
        "TEMPORARIES_BACK": len(backward.temporary),
        "NORMALIZED": len(plan.normalized),
        "NORMALIZED_BACK": len(backward.normalized),
        "OPERANDS": len(operands),
        "MOST_LANES": max(1, len(plan.recurrent)),
        "GATES": len(gates),
        "RAW_SLOPE": -1 if raw is None else plan.slopes[raw],
        "IN_OUTPUTS": -1,
        "UNREAD": -2,
        "WATCHED_SLOPE": plan.slopes[output] if plan.recorded else -1,
    }
    yield "enum {"
    yield from (f"    {name} = {number}," for name, number in numbers.items())
    yield "};"
    yield _table("INPUT_PLANE", [kept.inputs[name] for name in graph.inputs])
    yield _table("INPUT_SLOPE", [plan.slopes[plan.derivatives.inputs[name]] for name in graph.inputs])
    before = ["IN_OUTPUTS" if kept.before and place == 0 else "UNREAD" for place, _ in enumerate(graph.states)]
    yield _table("OLD_PLANE", [kept.old.get(name, other) for name, other in zip(graph.states, before, strict=True)])
    yield _table("GATE_PLANE", gates)
    listed = ", ".join(f"{{{plane}, {len(lanes)}, {{{_pairs(lanes)}}}}}" for plane, lanes in operands)
    yield f"#define OPERAND_LIST {{{listed or '{0}'}}}"
    yield f"#define EPSILON {EPSILON!r}"


def _operands(plan: Plan) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """For each operand of recurrent products its plane, or ~state; and the block and slope of each product."""
    for product in plan.graph.products:
        operand = product.operand
        is_state = operand.operation == "state"
        plane = ~plan.graph.states.index(operand.name) if is_state else plan.kept.planes[operand]
        slopes = [plan.slopes[plan.derivatives.products[block]] for block in product.blocks]
        yield plane, list(zip(map(plan.recurrent.index, product.blocks), slopes, strict=True))


def _pairs(lanes: Iterable[tuple[int, int]]) -> str:
    return ", ".join(f"{{{block}, {slope}}}" for block, slope in lanes)


def _table(name: str, values: Sequence[int | str]) -> str:
    return f"static const int {name}[] = {{{', '.join(map(str, values)) or '0'}}};"


def _function(name: str, phases: Iterable[list[str]]) -> Iterator[str]:
    yield f"static void {name}(const Worker *worker, const Step *step) {{"
    yield "    const Group *group = worker->group;"
    yield "    const Run *run = group->run;"
    yield "    const long padded = run->call->padded, hidden = run->call->hidden, plane = group->sequences * padded;"
    yield "    const long kept_row = kept_stride(run->call), slope_row = slope_stride(run->call);"
    yield "    (void)plane, (void)kept_row, (void)slope_row, (void)hidden;  // not every cell needs all"
    for lines in phases:
        yield from textwrap.indent("\n".join(lines), "    ").split("\n")
    yield "}"
