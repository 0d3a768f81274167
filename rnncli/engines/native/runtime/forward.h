// All steps forward.
#pragma once
#include "rows.h"

// The blocks of the input projection of some rows, into the planes where the steps find them.
static void project(const Worker *worker, long rows, REAL *kept) {
    const Group *group = worker->group;
    const long padded = worker->call->padded, input = worker->call->input, stride = kept_stride(worker->call);
    for (int b = 0; b < INPUTS; b++)
        for (long p = worker->first_panel; p < worker->last_panel; p++) {
            const REAL *panel = group->run->inputs_packed + (b * padded + p * PAIR) * input;
            for (long row = 0, count; row < rows; row += count) {
                count = next_rows(rows - row);
                const Term term = {group->x + row * worker->call->input_padded, worker->call->input_padded, panel, input};
                multiply(count, &term, 1, kept + row * stride + INPUT_PLANE[b] * padded + p * PAIR, stride);
            }
        }
}

static void run_forward(const Worker *worker) {
    Group *group = worker->group;
    const Call *call = worker->call;
    const long size = call->hidden * sizeof(REAL);
    for (int s = 0; s < STATES; s++) gather_sequences(worker, 0, group->sequences, call->start[s], group->state[0][s]);
    if (MASKS & 1) gather_sequences(worker, 0, group->sequences, call->hidden_mask, group->mask[0]);
    for (long row = worker->member; row < group->sequences; row += worker->members)
        for (long t = length_of(group, row); t < call->time; t++)
            memset(call->out + of_batch(group, row) * call->out_batch + t * call->out_time, 0, size);
    for (long first = 0, last; first < group->steps; first = last) {
        last = chunk_end(group, first);
        const long from = group->starts[first];
        gather(worker, first, last, call->x, call->x_batch, call->x_time, call->input, group->x, call->input_padded);
        gather_masks(worker, first, last);
        meet(worker);
        project(worker, group->starts[last] - from, kept_rows(group, first, from));
        meet(worker);
        for (long t = first; t < last; t++) {
            Step step = step_at(worker, t, from);
            for (int s = 0; s < STATES; s++) {
                step.old[s] = group->state[t & 1][s];
                step.old_stride[s] = call->padded;
                step.new[s] = group->state[~t & 1][s];
            }
            forward_step(worker, &step);
            for (long row = worker->member; row < step.rows; row += worker->members) {
                memcpy(call->out + place_of(group, row, t, call->out_batch, call->out_time),
                       step.new[0] + row * call->padded, size);
                for (int g = 0; g < GATES; g++)
                    memcpy(call->gates[g] + place_as_read(group, row, t, call->watched_batch, call->watched_time),
                           step.kept + row * kept_stride(call) + GATE_PLANE[g] * call->padded, size);
                if (row >= step.later)
                    for (int s = 0; s < STATES; s++)
                        if (call->final[s])
                            memcpy(call->final[s] + of_batch(group, row) * call->hidden,
                                   step.new[s] + row * call->padded, size);
            }
        }
    }
}
