"""What the trace of a step finds in its equations."""

from copy import deepcopy

import pytest

from rnncli.cells.expressions import Node, sigmoid, tanh
from rnncli.cells.graph import Product, trace


def test_names_stand_in_the_order_of_first_use_and_products_are_grouped_by_operand():
    def step(x, state, U, p, gate):
        h, c = state
        z = sigmoid(x.z + U.z(h) + p.z * c)
        n = tanh(x.n + U.n(z * h) + U.m(c))
        y = sigmoid(x.y + U.y(h) + U.k(z * h) + p.y * n + p.z * n)
        return y * n, n

    graph = trace(step, ("h", "c"))
    h, c = Node("state", "h"), Node("state", "c")
    z = sigmoid(Node("input", "z") + Node("product", "z", h) + Node("vector", "z") * c)
    assert graph.inputs == ("z", "n", "y")
    assert graph.vectors == ("z", "y")
    assert graph.products == (Product(h, ("z", "y")), Product(z * h, ("n", "k")), Product(c, ("m",)))
    assert graph.recurrent == ("z", "y", "n", "k", "m")
    assert graph.state[0].operation == "multiply"
    assert graph.state[0].arguments[1] is graph.state[1]


def test_equal_expressions_are_one_object_and_stay_so_when_copied():
    a, b = Node("state", "a"), Node("state", "b")
    assert (1 - a) * b is (1 - Node("state", "a")) * b
    assert a - b is not b - a
    assert a * b is not b * a
    assert deepcopy(tanh(a * b)) is tanh(a * b)


def test_numbers_stand_on_the_side_where_they_were_written():
    a = Node("state", "a")
    assert repr(1 - a) == "subtract(constant(1.0), state(a))"
    assert repr(a - 1) == "subtract(state(a), constant(1.0))"
    assert repr(2 + -a * 3) == "add(constant(2.0), multiply(negate(state(a)), constant(3.0)))"


def test_a_block_with_two_operands_is_refused():
    def step(x, state, U, p, gate):
        (h,) = state
        return (tanh(x.a + U.a(h) + U.a(2 * h)),)

    with pytest.raises(ValueError, match="'a' multiplies two different operands"):
        trace(step, ("h",))


def test_the_same_product_may_be_used_twice():
    def step(x, state, U, p, gate):
        (h,) = state
        return (sigmoid(U.a(h)) * tanh(x.a + U.a(h)),)

    assert trace(step, ("h",)).recurrent == ("a",)


def test_a_step_that_forgets_a_state_is_refused():
    with pytest.raises(ValueError, match="returns 1 states, the cell names 2: h, c"):
        trace(lambda x, state, U, p, gate: (x.a + state[0],), ("h", "c"))
