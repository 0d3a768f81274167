// Groups, rows and steps: what both directions of a layer share, for any cell.
//
// The cell's constants come before this header, its `forward_step` and `backward_step` after it. What is called by_x is
// the derivative by x.
//
// The sequences of a batch, the longest first, are dealt out to groups, so that each group's are sorted, too, and those
// that have a step are its first rows. A group is one thread, which then needs nothing of the others; or, where there
// are few rows, one group is all threads, which divide the hidden units and wait for one another.
//
// A row is one step of one sequence. Planes are its vectors of hidden units, padded to whole pairs of vectors: what is
// kept of it until the backward pass stands in `kept`, the derivatives of some steps in `slopes`. What stands in the
// padding of a plane is never read by products, sums or statistics of the others.
#pragma once
#include "matrix.h"
#include "team.h"
#include <math.h>
#include <string.h>

// Of the cell.
typedef struct {
    int plane;  // of the kept ones, or where it is negative an old state: ~state
    int lanes;
    struct {
        int block, slope;  // a recurrent block, and the plane of the derivative by its product
    } lane[MOST_LANES];
} Operand;

static const Operand OPERAND[] = OPERAND_LIST;

// One step of a group.
typedef struct {
    long rows, later;  // sequences that have it, and those that have the next one
    const REAL *x;     // inputs
    REAL *kept;
    const REAL *old[STATES];
    long old_stride[STATES];
    REAL *new[STATES];
    const REAL *mask[1 + STATES];  // of the operands, then the shares of zoneout
    const REAL *incoming, *carry[STATES];
    REAL *carried[STATES];
    REAL *slopes;
    const REAL *later_slopes;
} Step;

typedef struct {
    const Call *call;
    REAL *inputs_packed, *blocks_packed, *bias, *vectors;
    Barrier all;
    int groups, threads;
    long rows;  // of all groups
} Run;

typedef struct {
    const Run *run;
    long number, sequences, steps;
    long *sizes, *starts;  // rows of each step, and rows before it
    long most;             // rows of the largest chunk of steps
    REAL *kept, *state[2][STATES], *before, *x, *mask[1 + STATES], *incoming, *carry[2][STATES], *slopes[2], *temporary;
    REAL *statistics, *sums, *by_weight_ih, *by_weight_hh, *panels;
    Barrier barrier;
} Group;

// One thread of a group.
typedef struct {
    Group *group;
    const Call *call;
    long member, members, first_panel, last_panel;
} Worker;

static void forward_step(const Worker *worker, const Step *step);
static void backward_step(const Worker *worker, const Step *step);

#define CHUNK 96  // rows whose projections, and whose derivatives, stay in the cache until they are used

static inline void meet(const Worker *worker) {
    if (worker->members > 1) barrier_wait(&worker->group->barrier, worker->members);
}

static inline long of_batch(const Group *group, long row) {
    return group->run->call->order[group->number + row * group->run->groups];
}

static inline long length_of(const Group *group, long row) {
    return group->run->call->lengths[group->number + row * group->run->groups];
}

// Where a row of a step stands in something of (batch, time, features).
static inline long place_of(const Group *group, long row, long t, long by_batch, long by_time) {
    const long position = group->run->call->reverse ? length_of(group, row) - 1 - t : t;
    return of_batch(group, row) * by_batch + position * by_time;
}

// The same for what stands in the order of reading: masks and recordings.
static inline long place_as_read(const Group *group, long row, long t, long by_batch, long by_time) {
    return of_batch(group, row) * by_batch + t * by_time;
}

// The part of `count` things that a member takes.
static inline long share(long count, long member, long members) { return count * member / members; }

// From one row of what is kept to the next: planes, then statistics.
static inline long kept_stride(const Call *call) {
    return KEPT * call->padded + (2 * NORMALIZED + PAIR - 1) / PAIR * PAIR;
}

// From one row of derivatives to the next; no power of two, so that their columns do not share a place in the cache.
static inline long slope_stride(const Call *call) { return SLOPES * call->padded + PAIR; }

static inline REAL *kept_rows(const Group *group, long t, long from) {
    return group->kept + (group->starts[t] - (group->run->call->training ? 0 : from)) * kept_stride(group->run->call);
}

// The steps from `first` on whose rows are taken together.
static long chunk_end(const Group *group, long first) {
    long last = first + 1;
    while (last < group->steps && group->starts[last + 1] - group->starts[first] <= CHUNK) last++;
    return last;
}

static long chunk_start(const Group *group, long last) {
    long first = last - 1;
    while (first > 0 && group->starts[last] - group->starts[first - 1] <= CHUNK) first--;
    return first;
}

// Copies rows of some steps of something of (batch, time, features) side by side.
static void gather(const Worker *worker, long first, long last, const REAL *from, long by_batch, long by_time,
                   long features, REAL *to, long stride) {
    const Group *group = worker->group;
    for (long t = first; t < last; t++)
        for (long row = worker->member; row < group->sizes[t]; row += worker->members)
            memcpy(to + (group->starts[t] - group->starts[first] + row) * stride,
                   from + place_of(group, row, t, by_batch, by_time), features * sizeof(REAL));
}

// A row for each sequence from one of (batch, hidden), zeros where there is none.
static void gather_sequences(const Worker *worker, long first, long last, const REAL *from, REAL *to) {
    const long hidden = worker->call->hidden;
    for (long row = first + worker->member; row < last; row += worker->members) {
        REAL *row_to = to + row * worker->call->padded;
        if (from)
            memcpy(row_to, from + of_batch(worker->group, row) * hidden, hidden * sizeof(REAL));
        else
            memset(row_to, 0, hidden * sizeof(REAL));
    }
}

static void gather_masks(const Worker *worker, long first, long last) {
    const Group *group = worker->group;
    const Call *call = worker->call;
    for (int s = 0; s < STATES; s++)
        for (long t = first; MASKS >> (1 + s) & 1 && t < last; t++)
            for (long row = worker->member; row < group->sizes[t]; row += worker->members)
                memcpy(group->mask[1 + s] + (group->starts[t] - group->starts[first] + row) * call->padded,
                       call->zoneout[s] + place_as_read(group, row, t, call->zoneout_batch, call->zoneout_time),
                       call->hidden * sizeof(REAL));
}

static Step step_at(const Worker *worker, long t, long from) {
    const Group *group = worker->group;
    const Call *call = worker->call;
    Step step = {.rows = group->sizes[t], .later = t + 1 < group->steps ? group->sizes[t + 1] : 0};
    const long row = group->starts[t] - from;
    step.x = group->x + row * call->input_padded;
    step.kept = kept_rows(group, t, from);
    step.mask[0] = group->mask[0];
    for (int s = 0; s < STATES; s++)
        if (MASKS >> (1 + s) & 1) step.mask[1 + s] = group->mask[1 + s] + row * call->padded;
    return step;
}

// The sum of a vector's elements.
static inline REAL total(V values) {
    REAL sum = 0;
    for (int k = 0; k < WIDTH; k++) sum += values[k];
    return sum;
}

// Mean and inverse standard deviation of a row.
static inline void row_statistics(const REAL *row, long count, REAL *out) {
    V sum = {0}, squares = {0};
    for (long k = 0; k < count; k += WIDTH) sum += load_part(row + k, count - k);
    const REAL mean = total(sum) / count;
    const long whole = count / WIDTH * WIDTH;
    for (long k = 0; k < whole; k += WIDTH) {
        const V apart = load(row + k) - all(mean);
        squares += apart * apart;
    }
    REAL variance = total(squares);
    for (long k = whole; k < count; k++) variance += (row[k] - mean) * (row[k] - mean);
    out[0] = mean;
    out[1] = 1 / (REAL)sqrt(variance / count + EPSILON);
}

// Mean of a row, and of its product with another.
static inline void row_means(const REAL *row, const REAL *other, long count, REAL *out) {
    V sum = {0}, products = {0};
    for (long k = 0; k < count; k += WIDTH) {
        const V value = load_part(row + k, count - k);
        sum += value;
        products += value * load_part(other + k, count - k);
    }
    out[0] = total(sum) / count;
    out[1] = total(products) / count;
}
