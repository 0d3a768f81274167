"""What a run keeps for its backward pass, how long, and what happens when it is asked again."""

import copy
import gc
import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from engines.test_engines import ALL, LENGTHS, case, gradients, random_sum
from rnncli.engines.engine import Recording
from rnncli.engines.fused.memory import Memory

CELLS = ["lstm", "gru-before", "rnn-tanh"]


@pytest.fixture
def by_references_alone():
    """Memory must be freed without the collector of cycles."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def kept_by(node):
    """Weak references to what the scan keeps for its backward pass, by buffer."""
    while node.name() != "ScanBackward":
        node = node.next_functions[0][0]
    return {key: weakref.ref(each) for key, each in zip(node.keys, node.saved_tensors, strict=True)}


@pytest.mark.usefixtures("by_references_alone")
@pytest.mark.parametrize("lengths", ["unequal", "full"])
@pytest.mark.parametrize("cell", CELLS)
def test_buffers_are_freed_by_the_backward_pass_while_outputs_live(cell, lengths):
    ours = case(cell, LENGTHS[lengths])
    outputs, final = ours.run("fused")
    kept = kept_by(outputs.grad_fn)
    assert {buffer for buffer, _ in kept} >= {"linear", "old", "weight_hh"}
    random_sum([outputs, *final]).backward()
    alive = {key for key, each in kept.items() if each() is not None and each().data_ptr() != outputs.data_ptr()}
    assert {buffer for buffer, _ in alive} <= {"old", "weight_hh"}  # the case has these itself


@pytest.mark.usefixtures("by_references_alone")
@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("gradients_wanted", [False, True])
def test_buffers_are_freed_with_the_outputs_where_no_backward_pass_comes(monkeypatch, recorded, gradients_wanted):
    made = []
    take = Memory.take

    def taken(memory, given):
        take(memory, given)
        made.extend([weakref.ref(memory), *map(weakref.ref, memory.tensors.values())])

    monkeypatch.setattr(Memory, "take", taken)
    ours = case("lstm")
    gates = {"f": torch.zeros(5, 7, 4, dtype=torch.float64)}
    with torch.set_grad_enabled(gradients_wanted):
        results = ours.run("fused", recording=Recording(gates) if recorded else None)
    alive = [each() for each in made if each() is not None]
    own = {each.data_ptr() for each in (*ours.state, *ours.weights.parameters())}
    if not gradients_wanted:
        assert {each.data_ptr() for each in alive} <= own
    del results, alive
    assert {each().data_ptr() for each in made if each() is not None} <= own


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("lengths", ["unequal", "full"])
@pytest.mark.parametrize("change", ["outputs", "weights"])
def test_what_is_changed_before_the_backward_pass_is_refused_or_does_not_matter(engine, lengths, change):
    ours = case("lstm", LENGTHS[lengths])
    expected = gradients(ours, *ours.run("loop"))
    outputs, final = ours.run(engine)
    loss = random_sum([outputs, *final])
    try:
        with torch.no_grad():
            (outputs if change == "outputs" else ours.weights.weight_hh).mul_(2)
        wanted = {"inputs": ours.inputs.values} | dict(ours.weights.named_parameters())
        found = torch.autograd.grad(loss, list(wanted.values()))
    except RuntimeError as refusal:
        assert "inplace" in str(refusal) or "in-place" in str(refusal)
        return
    for name, each in zip(wanted, found, strict=True):
        torch.testing.assert_close(each, expected[name])


@pytest.mark.parametrize("engine", ALL)
def test_copies_of_weights_run_and_two_threads_do_not_meet(engine):
    ours = [case("lstm", seed=seed) for seed in range(4)]
    alone = [gradients(each, *each.run(engine)) for each in ours]
    copies = [each._replace(weights=copy.deepcopy(each.weights)) for each in ours[:2]]
    copies += [each._replace(weights=pickle.loads(pickle.dumps(each.weights))) for each in ours[2:]]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda each: gradients(each, *each.run(engine)), copies))
    torch.testing.assert_close(together, alone)
