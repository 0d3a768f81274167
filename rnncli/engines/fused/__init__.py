"""Any cell in few operations of torch a step.

The equations of a cell, as a graph of nodes, are turned into two lists of instructions, one for a step forward and one
for a step backward (`plan`). An instruction is one operation of torch that writes into memory which is there already;
it names its operands by slots, places in the buffers of a run (`slots`). An LSTM's

    i, f, g, o = sigmoid(x.i + U.i(h)), sigmoid(x.f + U.f(h)), tanh(x.g + U.g(h)), sigmoid(x.o + U.o(h))
    c = f * c + i * g
    h = o * tanh(c)

has four sums that begin with what is known before the first step, here blocks of the input projection. Each such sum,
and each product that stands alone, is a lane (`lanes`). Lanes stand side by side in one buffer, in the order that needs
the fewest instructions (`layout`): one matrix product makes all of them for all steps, and what is the same for
neighbours is done at once. A step forward (`forward`) takes seven operations, in place where the old value is not
needed (`h'` and `c'` are the old state, `[i f o]` neighbours):

    [g i f o] += h' U^T
    [i f o] = sigmoid([i f o])
    c = f * c'
    g = tanh(g)
    c += i * g
    t = tanh(c)
    h = o * t

Derivatives by the lanes stand in a buffer of their own, in the same order. Each is a sum of local derivatives, which
only the forward pass is needed for, times what comes from the step after: dh and dc. The local derivatives are made for
many steps at once (`scan`): the lanes begin as them, in [g i f o] i (1 - g^2), g i (1 - i), c' f (1 - f) and
t o (1 - o); k is o (1 - t^2). What is left of a step backward (`backward`) is five operations:

    dc += dh * k
    d[g i f] *= dc
    do *= dh
    dh = d[g i f o] U
    dc *= f

After the last one a single matrix product over all steps gives the derivative by U (`scan`), and autograd goes on from
the derivatives by what was known before the loop (`function`, `engine`). `memory` holds the buffers, `packing` leaves
out the padding, `bulk` computes expressions for many rows, `play` does the instructions.
"""
