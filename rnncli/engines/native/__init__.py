"""Any cell as C code that this machine's compiler has made.

From the equations of a cell, as a graph of nodes, follow the derivatives (`adjoints`), what of a step forward is kept
for the step backward (`planes`), and in which phases a step is computed (`schedule`): a recurrent product needs all
hidden units of its operand, so it begins a phase. All of it together is the `plan`. From that the C code is written
(`source`, `forward_code`, `backward_code`, `phase`, `places`). An LSTM has one phase in both directions; that of the
step forward reads, shortened:

    for (panel ...)                                          // two vectors of hidden units
        for (row ...) {                                      // up to eight sequences
            multiply(count, {h, U_o's panel}, lane[0]);      // four products; their sums stay in registers
            ...
            for (part, place ...) {                          // while the results are in the first cache
                const V o_t = v_sigmoid(x_o + U_o);
                ...
                const V c_t = f_t * old_c + i_t * g_t;
                const V h_t = o_t * v_tanh(c_t);
                store(kept + 3 * padded + unit, o_t);        // over x_o, which nothing reads any more
                ...

What is the same for all cells is in `runtime`, headers that the code includes: `vector.h` (vectors of any width, the
sigmoid and tanh), `matrix.h` (products), `rows.h` (which sequence has which step, and where), `forward.h` and
`backward.h` (all steps), `run.h` (memory, threads), `stepper.h` (single steps), `team.h` and `team.c` (the threads).
The input projection is made for as many steps as fit into the cache with what follows from it, and so are the
derivatives by inputs and weights: a layer is one call in each direction, and needs no memory for derivatives but that
of some steps.

`compiler` finds the compiler and `cache` keeps what it makes; `library` loads it, `call` is what is handed over,
`function` is known to autograd, `engine` to everybody else.
"""
