// All steps backward.
#pragma once
#include "rows.h"

// The old states of a step, as the backward pass finds them.
static void find_old(const Group *group, Step *step, long t, long from) {
    const long padded = group->run->call->padded;
    for (int s = 0; s < STATES; s++) {
        if (OLD_PLANE[s] >= 0 && t > 0) {
            step->old[s] = kept_rows(group, t - 1, 0) + OLD_PLANE[s] * padded;
            step->old_stride[s] = kept_stride(group->run->call);
        } else {
            step->old[s] = t == 0 ? group->state[0][s] : group->before + (group->starts[t] - from) * padded;
            step->old_stride[s] = padded;
        }
    }
}

// The outputs before some steps, where nothing else has kept them.
static void gather_before(const Worker *worker, long first, long last) {
    const Group *group = worker->group;
    const Call *call = worker->call;
    if (OLD_PLANE[0] != IN_OUTPUTS) return;
    for (long t = first > 0 ? first : 1; t < last; t++)
        for (long row = worker->member; row < group->sizes[t]; row += worker->members)
            memcpy(group->before + (group->starts[t] - group->starts[first] + row) * call->padded,
                   call->out + place_of(group, row, t - 1, call->out_batch, call->out_time),
                   call->hidden * sizeof(REAL));
}

// Adds the derivatives by both matrices, of the rows of some steps.
static void by_weights(const Worker *worker, long first, long last, REAL *slopes) {
    Group *group = worker->group;
    const Call *call = worker->call;
    const long padded = call->padded, hidden = call->hidden, rows = group->starts[last] - group->starts[first];
    const long stride = slope_stride(call);
    const int begin = last == group->steps;  // nothing is there yet to be added to
    REAL *panel = group->panels + worker->member * group->most * PAIR;
    if (call->by_weight_ih) {
        const long panels = call->input_padded / PAIR;
        for (long p = share(panels, worker->member, worker->members);
             p < share(panels, worker->member + 1, worker->members); p++) {
            pack_panel(group->x, call->input_padded, rows, p * PAIR, call->input_padded, panel);
            for (int b = 0; b < INPUTS; b++)
                multiply_transposed(hidden, slopes + INPUT_SLOPE[b] * padded, stride, panel, rows, begin,
                                    group->by_weight_ih + b * hidden * call->input_padded + p * PAIR,
                                    call->input_padded);
        }
    }
    if (!call->by_weight_hh) return;
    for (int o = 0; o < OPERANDS; o++)
        for (long p = worker->first_panel; p < worker->last_panel; p++) {
            const Operand *operand = OPERAND + o;
            REAL *to = panel;
            for (long t = first; t < last; t++) {
                Step step;
                find_old(group, &step, t, group->starts[first]);
                if (operand->plane < 0)
                    pack_panel(step.old[~operand->plane], step.old_stride[~operand->plane], group->sizes[t], p * PAIR,
                               padded, to);
                else
                    pack_panel(kept_rows(group, t, 0) + operand->plane * padded, kept_stride(call), group->sizes[t],
                               p * PAIR, padded, to);
                to += group->sizes[t] * PAIR;
            }
            for (int l = 0; l < operand->lanes; l++)
                multiply_transposed(hidden, slopes + operand->lane[l].slope * padded, stride, panel, rows, begin,
                                    group->by_weight_hh + operand->lane[l].block * hidden * padded + p * PAIR, padded);
        }
}

// The derivatives by the inputs of some steps.
static void by_inputs(const Worker *worker, long first, long last, const REAL *slopes) {
    const Group *group = worker->group;
    const Call *call = worker->call;
    const long padded = call->padded, hidden = call->hidden, panels = call->input_padded / PAIR;
    const long stride = slope_stride(call), from = group->starts[first], rows = group->starts[last] - from;
    for (long p = share(panels, worker->member, worker->members);
         p < share(panels, worker->member + 1, worker->members); p++) {
        long t = first;
        for (long row = 0, count; row < rows; row += count) {
            count = next_rows(rows - row);
            REAL made[8 * PAIR] __attribute__((aligned(64)));
            Term terms[INPUTS + 1];  // never of no size
            for (int b = 0; b < INPUTS; b++)
                terms[b] = (Term){slopes + row * stride + INPUT_SLOPE[b] * padded, stride,
                                  group->run->inputs_packed + (b * call->input_padded + p * PAIR) * hidden, hidden};
            multiply(count, terms, INPUTS, made, PAIR);
            for (long r = 0; r < count; r++) {
                while (row + r >= group->starts[t + 1] - from) t++;
                REAL *to = call->by_x + p * PAIR + place_of(group, row + r - (group->starts[t] - from), t,
                                                            call->by_x_batch, call->by_x_time);
                for (long v = 0; v < PAIR && p * PAIR + v < call->input; v += WIDTH) {
                    V value = load(made + r * PAIR + v);
                    if (RAW_SLOPE >= 0)
                        value += load(slopes + (row + r) * stride + RAW_SLOPE * padded + p * PAIR + v);
                    store_part(to + v, value, call->input - p * PAIR - v);
                }
            }
        }
    }
}

// The derivatives by the states before the first step.
static void by_start(const Worker *worker, const REAL *slopes, long turn) {
    const Group *group = worker->group;
    const Call *call = worker->call;
    const long padded = call->padded, hidden = call->hidden, stride = slope_stride(call);
    for (int s = 0; s < STATES; s++) {
        if (!call->by_start[s]) continue;
        for (long p = worker->first_panel; p < worker->last_panel; p++)
            for (long row = 0, count; row < group->sequences; row += count) {
                count = next_rows(group->sequences - row);
                REAL made[8 * PAIR] __attribute__((aligned(64))) = {0};
                for (int o = 0; o < OPERANDS; o++) {
                    if (OPERAND[o].plane != ~s) continue;
                    Term terms[MOST_LANES];
                    for (int l = 0; l < OPERAND[o].lanes; l++)
                        terms[l] = (Term){slopes + row * stride + OPERAND[o].lane[l].slope * padded, stride,
                                          group->run->blocks_packed + (OPERAND[o].lane[l].block * padded + p * PAIR) * hidden,
                                          hidden};
                    multiply(count, terms, OPERAND[o].lanes, made, PAIR);
                }
                for (long r = 0; r < count; r++)
                    for (long v = 0; v < PAIR && p * PAIR + v < hidden; v += WIDTH)
                        store_part(call->by_start[s] + of_batch(group, row + r) * hidden + p * PAIR + v,
                                   load(made + r * PAIR + v) +
                                       load(group->carry[turn][s] + (row + r) * padded + p * PAIR + v),
                                   hidden - p * PAIR - v);
            }
    }
}

static void run_backward(const Worker *worker) {
    Group *group = worker->group;
    const Call *call = worker->call;
    const long padded = call->padded;
    long turn = 0, half = 0;
    for (int s = 0; s < STATES; s++) gather_sequences(worker, 0, group->sequences, call->start[s], group->state[0][s]);
    if (MASKS & 1) gather_sequences(worker, 0, group->sequences, call->hidden_mask, group->mask[0]);
    for (long row = worker->member; call->by_x && row < group->sequences; row += worker->members)
        for (long t = length_of(group, row); t < call->time; t++)
            memset(call->by_x + of_batch(group, row) * call->by_x_batch + t * call->by_x_time, 0,
                   call->input * sizeof(REAL));
    const REAL *later_slopes = NULL;  // of the step after, perhaps in the other half: hence two of them
    for (long last = group->steps, first; last > 0; last = first, half = 1 - half) {
        first = chunk_start(group, last);
        const long from = group->starts[first];
        gather(worker, first, last, call->x, call->x_batch, call->x_time, call->input, group->x, call->input_padded);
        gather_masks(worker, first, last);
        gather_before(worker, first, last);
        for (long t = last - 1; t >= first; t--, turn = 1 - turn) {
            Step step = step_at(worker, t, from);
            find_old(group, &step, t, from);
            if (call->by_out)
                gather(worker, t, t + 1, call->by_out, call->by_out_batch, call->by_out_time, call->hidden,
                       group->incoming, padded);
            for (int s = 0; s < STATES; s++) {
                gather_sequences(worker, step.later, step.rows, call->by_final[s], group->carry[turn][s]);
                step.carry[s] = group->carry[turn][s];
                step.carried[s] = group->carry[1 - turn][s];
            }
            step.incoming = group->incoming;
            step.slopes = group->slopes[half] + (group->starts[t] - from) * slope_stride(call);
            step.later_slopes = later_slopes;
            meet(worker);
            backward_step(worker, &step);
            later_slopes = step.slopes;
            for (long row = worker->member; WATCHED_SLOPE >= 0 && row < step.rows; row += worker->members)
                memcpy(call->watched + place_as_read(group, row, t, call->watched_batch, call->watched_time),
                       step.slopes + row * slope_stride(call) + WATCHED_SLOPE * padded, call->hidden * sizeof(REAL));
        }
        meet(worker);
        by_weights(worker, first, last, group->slopes[half]);
        if (call->by_x) by_inputs(worker, first, last, group->slopes[half]);
        meet(worker);
    }
    by_start(worker, later_slopes, turn);
}
