// A call from outside: memory, threads, packed weights; then every group's steps; then the sums over groups.
//
// Sums over groups are taken in their order, so that the same number of threads gives the same bits.
#pragma once
#include "backward.h"
#include "forward.h"
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define FEW 6  // rows a thread, below which threads divide the hidden units, not the rows

typedef struct {
    REAL *memory;  // NULL while places are only counted
    long taken;
} Arena;

static REAL *take(Arena *arena, long count) {
    REAL *place = arena->memory ? arena->memory + arena->taken : NULL;
    arena->taken += (count + 63) / 64 * 64;
    return place;
}

static void place_packed(Run *run, Arena *arena) {
    const Call *call = run->call;
    const long depth = call->backward ? call->hidden : call->input;
    const long columns = call->backward ? call->input_padded : call->padded;
    run->inputs_packed = take(arena, INPUTS * depth * columns);
    run->blocks_packed = take(arena, BLOCKS * call->hidden * call->padded);
    run->bias = take(arena, INPUTS * call->padded);
    run->vectors = take(arena, VECTORS * call->padded);
}

static void place_group(Group *group, Arena *arena, int members) {
    const Call *call = group->run->call;
    const long plane = group->sequences * call->padded, rows = group->starts[group->steps];
    group->most = group->sequences > CHUNK ? group->sequences : rows < CHUNK ? rows : CHUNK;
    const long plane_of_chunk = group->most * call->padded;
    group->x = take(arena, group->most * call->input_padded);
    for (int s = 0; s < STATES; s++)
        for (int turn = 0; turn < (call->backward ? 1 : 2); turn++) group->state[turn][s] = take(arena, plane);
    group->mask[0] = take(arena, MASKS & 1 ? plane : 0);
    for (int s = 0; s < STATES; s++) group->mask[1 + s] = take(arena, MASKS >> (1 + s) & 1 ? plane_of_chunk : 0);
    group->statistics = take(arena, group->sequences * 2 * NORMALIZED_BACK);
    group->temporary = take(arena, (call->backward ? TEMPORARIES_BACK : TEMPORARIES) * plane);
    if (!call->training) group->kept = take(arena, group->most * kept_stride(call));
    if (!call->backward) return;
    group->before = take(arena, OLD_PLANE[0] == IN_OUTPUTS ? plane_of_chunk : 0);
    group->incoming = take(arena, plane);
    for (int turn = 0; turn < 2; turn++) {
        for (int s = 0; s < STATES; s++) group->carry[turn][s] = take(arena, plane);
        group->slopes[turn] = take(arena, group->most * slope_stride(call));
    }
    group->sums = take(arena, SUMS * call->padded);
    group->by_weight_ih = take(arena, call->by_weight_ih ? INPUTS * call->hidden * call->input_padded : 0);
    group->by_weight_hh = take(arena, call->by_weight_hh ? BLOCKS * call->hidden * call->padded : 0);
    group->panels = take(arena, members * group->most * PAIR);
}

static void place_all(Run *run, Group *groups, Arena *arena) {
    place_packed(run, arena);
    for (int g = 0; g < run->groups; g++) place_group(groups + g, arena, run->groups > 1 ? 1 : run->threads);
}

// Asks for large pages, which are made available a good deal faster, for memory that is mostly new.
static void ask_for_large_pages(const void *memory, size_t bytes) {
#ifdef MADV_HUGEPAGE
    const uintptr_t page = 1 << 21, first = ((uintptr_t)memory + page - 1) / page * page;
    const uintptr_t last = ((uintptr_t)memory + bytes) / page * page;
    if (last > first + page) madvise((void *)first, last - first, MADV_HUGEPAGE);
#else
    (void)memory, (void)bytes;
#endif
}

static int reserve(size_t bytes, void **memory) {
    if (posix_memalign(memory, 64, bytes ? bytes : 64)) {
        *memory = NULL;
        return 1;
    }
    ask_for_large_pages(*memory, bytes);
    return 0;
}

// The sequences and steps of each group.
static void deal_out(Run *run, Group *groups, long *counts) {
    const Call *call = run->call;
    long before = 0;
    for (int g = 0; g < run->groups; g++) {
        Group *group = groups + g;
        *group = (Group){.run = run, .number = g};
        group->sequences = (call->batch - g + run->groups - 1) / run->groups;
        group->steps = length_of(group, 0);
        group->sizes = counts;
        group->starts = counts + call->time;
        counts += 2 * call->time + 1;
        long active = group->sequences;
        group->starts[0] = 0;
        for (long t = 0; t < group->steps; t++) {
            while (length_of(group, active - 1) <= t) active--;
            group->sizes[t] = active;
            group->starts[t + 1] = group->starts[t] + active;
        }
        group->kept = call->kept ? call->kept + before * kept_stride(call) : NULL;
        before += group->starts[group->steps];
        barrier_start(&group->barrier);
    }
    run->rows = before;
}

// One thread's part of the packing.
static void pack(const Run *run, long thread, long threads) {
    const Call *call = run->call;
    const long hidden = call->hidden, input = call->input, padded = call->padded;
    const long columns = call->backward ? call->input_padded : padded, depth = call->backward ? hidden : input;
    const long panels = INPUTS * columns / PAIR;
    for (long p = share(panels, thread, threads); p < share(panels, thread + 1, threads); p++) {
        const long block = p / (columns / PAIR), first = p % (columns / PAIR) * PAIR;
        const REAL *from = call->weight_ih + block * hidden * input;
        (call->backward ? pack_panel : pack_transposed)(from, input, depth, first, call->backward ? input : hidden,
                                                        run->inputs_packed + p * depth * PAIR);
    }
    const long more = BLOCKS * padded / PAIR;
    for (long p = share(more, thread, threads); p < share(more, thread + 1, threads); p++) {
        const long block = p / (padded / PAIR), first = p % (padded / PAIR) * PAIR;
        (call->backward ? pack_panel : pack_transposed)(call->weight_hh + block * hidden * hidden, hidden, hidden, first,
                                                        hidden, run->blocks_packed + p * hidden * PAIR);
    }
}

static void copy_vectors(const Run *run) {
    const Call *call = run->call;
    for (long b = 0; b < INPUTS; b++)
        if (call->bias)
            memcpy(run->bias + b * call->padded, call->bias + b * call->hidden, call->hidden * sizeof(REAL));
    for (long v = 0; v < VECTORS; v++)
        memcpy(run->vectors + v * call->padded, call->vectors[v], call->hidden * sizeof(REAL));
}

// What has to be zero before the first step.
static void clear(const Worker *worker) {
    const Group *group = worker->group;
    const Call *call = worker->call;
    const long bytes = group->sequences * call->padded * sizeof(REAL);
    if (worker->member) return;
    memset(group->x, 0, group->most * call->input_padded * sizeof(REAL));
    if (!call->backward) return;
    memset(group->incoming, 0, bytes);
    for (int s = 0; s < STATES; s++)
        for (int turn = 0; turn < 2; turn++) memset(group->carry[turn][s], 0, bytes);
    memset(group->sums, 0, SUMS * call->padded * sizeof(REAL));
}

// One thread's part of rows of (count, columns) that are summed over groups.
static void add_up(const Run *run, REAL *const *parts, long count, long columns, long stride, REAL *out, long thread) {
    for (long row = share(count, thread, run->threads); row < share(count, thread + 1, run->threads); row++)
        for (long column = 0; column < columns; column += WIDTH) {
            V sum = load(parts[0] + row * stride + column);
            for (int g = 1; g < run->groups; g++) sum += load(parts[g] + row * stride + column);
            store_part(out + row * columns + column, sum, columns - column);
        }
}

typedef struct {
    Run *run;
    Group *groups;
} Work;

// The steps of one group, by one thread or by all.
static void run_group(Group *group, long member, long members) {
    const Call *call = group->run->call;
    const long panels = call->padded / PAIR;
    const Worker worker = {group, call, member, members, share(panels, member, members),
                           share(panels, member + 1, members)};
    clear(&worker);
    meet(&worker);
    (call->backward ? run_backward : run_forward)(&worker);
}

static void work(void *argument, int thread) {
    const Work *all = argument;
    Run *run = all->run;
    const Call *call = run->call;
    pack(run, thread, run->threads);
    if (thread == 0) copy_vectors(run);
    barrier_wait(&run->all, run->threads);
    if (run->groups == 1)
        run_group(all->groups, thread, run->threads);
    else
        for (int g = thread; g < run->groups; g += run->threads) run_group(all->groups + g, 0, 1);
    if (!call->backward) return;
    barrier_wait(&run->all, run->threads);
    REAL *parts[run->groups];
    if (call->by_weight_ih) {
        for (int g = 0; g < run->groups; g++) parts[g] = all->groups[g].by_weight_ih;
        add_up(run, parts, INPUTS * call->hidden, call->input, call->input_padded, call->by_weight_ih, thread);
    }
    if (call->by_weight_hh) {
        for (int g = 0; g < run->groups; g++) parts[g] = all->groups[g].by_weight_hh;
        add_up(run, parts, BLOCKS * call->hidden, call->hidden, call->padded, call->by_weight_hh, thread);
    }
    for (int g = 0; g < run->groups; g++) parts[g] = all->groups[g].sums;
    add_up(run, parts, SUMS, call->hidden, call->padded, call->by_sums, thread);
}

const int pair = PAIR;  // read by Python, which makes room for padding

// Runs a layer; 0, or 1 where there is not enough memory. There is a sequence, and each has a step, at least. How rows are divided follows from the threads that are asked
// for, not from those there are: so does what is kept, and the order of all sums.
int run_layer(const Call *call) {
    Run run = {.call = call, .groups = 1};
    if (call->batch >= FEW * call->threads || call->padded / PAIR < call->threads)
        run.groups = call->threads < call->batch ? call->threads : call->batch;
    const int alone = run.groups == 1 && call->padded / PAIR < call->threads;
    run.threads = team_size(alone ? 1 : call->threads);  // as many as torch has, so that they can be its own
    barrier_start(&run.all);
    Group *groups = calloc(run.groups, sizeof(Group));
    long *counts = malloc(run.groups * (2 * call->time + 1) * sizeof(long));
    void *memory = NULL;
    int failed = !groups || !counts;
    if (!failed) {
        deal_out(&run, groups, counts);
        Arena arena = {0};
        place_all(&run, groups, &arena);
        failed = reserve(arena.taken * sizeof(REAL), &memory);
        arena = (Arena){.memory = memory};
        if (!failed) place_all(&run, groups, &arena);
    }
    const long steps = call->batch * call->time;
    if (!call->backward) {
        ask_for_large_pages(call->out, steps * call->hidden * sizeof(REAL));
        if (call->training) ask_for_large_pages(call->kept, run.rows * kept_stride(call) * sizeof(REAL));
    } else if (call->by_x) {
        ask_for_large_pages(call->by_x, steps * call->input * sizeof(REAL));
    }
    if (!failed) {
        Work all = {&run, groups};
        team_run(run.threads, work, &all);
    }
    free(memory);
    free(counts);
    free(groups);
    return failed;
}
