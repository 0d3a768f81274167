// Single steps: packed weights and memory stay from one to the next, each of which is a run over one step.
//
// The rows are divided among threads where there are enough of them.
#pragma once
#include "run.h"

typedef struct {
    Call call;
    Run run;
    Group *groups;
    void *packed, *memory;
    long *rows;    // for each sequence its length, which is 1; then its number
    long *counts;  // of rows, for each group
} Stepper;

// Frees a stepper and all it has.
void stepper_end(Stepper *stepper) {
    free(stepper->groups);
    free(stepper->packed);
    free(stepper->memory);
    free(stepper->rows);
    free(stepper->counts);
    free(stepper);
}

static void stepper_pack(void *run, int thread) { pack(run, thread, ((Run *)run)->threads); }

// Packs the weights of a call; NULL where there is not enough memory. Its batch, inputs and outputs are those of each
// step; what its `start` and `final` point to is read at each step, its weights and vectors only here.
Stepper *stepper_begin(const Call *call) {
    Stepper *stepper = calloc(1, sizeof(Stepper));
    if (!stepper) return NULL;
    stepper->call = *call;
    stepper->call.batch = 0;
    stepper->run = (Run){.call = &stepper->call};
    stepper->groups = calloc(call->threads, sizeof(Group));
    stepper->counts = malloc(3 * call->threads * sizeof(long));
    Arena arena = {0};
    place_packed(&stepper->run, &arena);
    if (!stepper->groups || !stepper->counts || reserve(arena.taken * sizeof(REAL), &stepper->packed)) {
        stepper_end(stepper);
        return NULL;
    }
    arena = (Arena){.memory = stepper->packed};
    place_packed(&stepper->run, &arena);
    stepper->run.threads = team_size(call->threads);
    team_run(stepper->run.threads, stepper_pack, &stepper->run);
    copy_vectors(&stepper->run);
    return stepper;
}

// Makes room for another number of sequences; 1 where there is not enough memory.
static int stepper_resize(Stepper *stepper, long batch) {
    Call *call = &stepper->call;
    Run *run = &stepper->run;
    call->batch = 0;  // should it fail, the next step begins here again
    free(stepper->memory);
    free(stepper->rows);
    stepper->memory = NULL;
    stepper->rows = malloc(2 * batch * sizeof(long));
    if (!stepper->rows) return 1;
    for (long row = 0; row < batch; row++) stepper->rows[row] = 1, stepper->rows[batch + row] = row;
    call->lengths = stepper->rows;
    call->order = stepper->rows + batch;
    call->batch = batch;
    run->groups = batch >= FEW * call->threads ? call->threads : 1;
    deal_out(run, stepper->groups, stepper->counts);
    Arena arena = {0};
    for (int g = 0; g < run->groups; g++) place_group(stepper->groups + g, &arena, 1);
    if (reserve(arena.taken * sizeof(REAL), &stepper->memory)) {
        call->batch = 0;
        return 1;
    }
    arena = (Arena){.memory = stepper->memory};
    for (int g = 0; g < run->groups; g++) place_group(stepper->groups + g, &arena, 1);
    return 0;
}

static void stepper_work(void *argument, int thread) {
    Stepper *stepper = argument;
    for (int g = thread; g < stepper->run.groups; g += stepper->run.threads) run_group(stepper->groups + g, 0, 1);
}

// Runs a step on inputs of (batch, input), whose rows are x_batch numbers apart; 1 where there is not enough memory.
int stepper_step(Stepper *stepper, long batch, REAL *x, long x_batch) {
    Call *call = &stepper->call;
    if (batch != call->batch && stepper_resize(stepper, batch)) return 1;
    call->x = x;
    call->x_batch = x_batch;
    call->out = call->final[0];  // the output is the first state
    call->out_batch = call->hidden;
    stepper->run.threads = team_size(stepper->run.groups);
    team_run(stepper->run.threads, stepper_work, stepper);
    return 0;
}
