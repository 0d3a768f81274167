// Calls the generated code of a cell at many sizes, with every tensor in memory of exactly its size.
//
// CELL names the file with the code. All memory is NaN before it is written, so that a number that was never computed
// shows up in a result. Each call prints a sum over its results, to be compared between processors.
#include CELL
#include <stdint.h>
#include <stdio.h>

const Team *team_shared(void);

#if defined(__SANITIZE_ADDRESS__)
const char *__asan_default_options(void) { return "malloc_fill_byte=255:max_malloc_fill_size=1000000000"; }
#endif

#define MOST 200
#define RAW (RAW_SLOPE >= 0)

static void *taken[MOST];
static int takes;
static uint64_t drawn = 1;

static uint64_t draw(uint64_t below) {
    drawn = drawn * 6364136223846793005u + 1442695040888963407u;
    return (drawn >> 33) % below;
}

static void *memory(size_t bytes) {
    void *place = malloc(bytes);
    if (!place || takes == MOST) exit(2);
    memset(place, 255, bytes);
    return taken[takes++] = place;
}

// NaNs, to be written by the layer.
static REAL *empty(long count) { return memory(count * sizeof(REAL)); }

static REAL *random_numbers(long count, double scale) {
    REAL *place = empty(count);
    for (long i = 0; i < count; i++) place[i] = scale * ((double)draw(2000001) / 1000000 - 1);
    return place;
}

static REAL *either(long count, double first, double second) {
    REAL *place = empty(count);
    for (long i = 0; i < count; i++) place[i] = draw(2) ? first : second;
    return place;
}

typedef struct {
    double sum;
    int not_finite;
} Result;

static void look(Result *result, const REAL *place, long count) {
    for (long i = 0; place && i < count; i++) {
        if (!isfinite(place[i])) result->not_finite++;
        result->sum += fabs((double)place[i]) * (1 + i % 7);
    }
}

static int lay_out(long batch, long time, long features, int time_major, long *by_batch, long *by_time) {
    *by_batch = time_major ? features : time * features;
    *by_time = time_major ? batch * features : features;
    return batch * time * features;
}

// Sequences of random lengths, or all as long as can be; the longest first, in places drawn at random.
static long lengths(Call *call) {
    long *lengths = memory(call->batch * sizeof(long)), *order = memory(call->batch * sizeof(long)), rows = 0;
    const int full = draw(2);
    for (long b = 0; b < call->batch; b++) {
        lengths[b] = full ? call->time : 1 + (long)draw(call->time);
        rows += lengths[b];
        for (long at = b; at > 0 && lengths[at - 1] < lengths[at]; at--) {
            const long other = lengths[at];
            lengths[at] = lengths[at - 1];
            lengths[at - 1] = other;
        }
        const long other = draw(b + 1);
        order[b] = b;
        order[b] = order[other];
        order[other] = b;
    }
    call->lengths = lengths;
    call->order = order;
    return rows;
}

static REAL **several(int count) { return memory((count > 0 ? count : 1) * sizeof(REAL *)); }

static int fail(const Call *call, const char *what) {
    fprintf(stderr, "%s: hidden %ld, input %ld, batch %ld, time %ld, threads %ld, reverse %ld\n", what, call->hidden,
            call->input, call->batch, call->time, call->threads, call->reverse);
    return 1;
}

static long padded(long count) { return (count + PAIR - 1) / PAIR * PAIR; }

// Whether a stepper gives the bits of a layer of one step, however many of its rows it takes.
static int steps_alike(const Call *of, const REAL *expected) {
    Call call = *of;
    const long all = call.batch, rows[] = {1, all, (all + 1) / 2, all};
    call.final = several(STATES);
    for (int s = 0; s < STATES; s++) call.final[s] = empty(all * call.hidden);
    Stepper *stepper = stepper_begin(&call);
    if (!stepper) return 0;
    int alike = 1;
    for (int turn = 0; turn < 4; turn++) {
        memset(call.final[0], 255, rows[turn] * call.hidden * sizeof(REAL));
        alike &= !stepper_step(stepper, rows[turn], call.x, call.x_batch);
        alike &= !memcmp(call.final[0], expected, rows[turn] * call.hidden * sizeof(REAL));
    }
    stepper_end(stepper);
    return alike;
}

static int run_case(long hidden, long input, long batch, long time, long threads) {
    Call call = {.hidden = hidden, .input = input, .batch = batch, .time = time, .threads = threads};
    call.padded = padded(hidden);
    call.input_padded = padded(input);
    call.reverse = draw(2);
    const long rows = lengths(&call), size = batch * time * hidden, one = batch * hidden;
    const double scale = 1 / sqrt((double)hidden);
    const long inputs = lay_out(batch, time, input, draw(2), &call.x_batch, &call.x_time);
    call.x = random_numbers(inputs, 1);
    lay_out(batch, time, hidden, 1, &call.out_batch, &call.out_time);
    lay_out(batch, time, hidden, 1, &call.watched_batch, &call.watched_time);
    lay_out(batch, time, hidden, 1, &call.zoneout_batch, &call.zoneout_time);
    call.weight_ih = random_numbers(INPUTS * hidden * input, scale);
    call.weight_hh = random_numbers(BLOCKS * hidden * hidden, scale);
    if (SUMS > VECTORS) call.bias = random_numbers(INPUTS * hidden, 1);
    call.vectors = several(VECTORS);
    for (int v = 0; v < VECTORS; v++) call.vectors[v] = random_numbers(hidden, 1);
    if (MASKS & 1) call.hidden_mask = either(one, 0, 2);
    call.start = several(STATES), call.final = several(STATES), call.zoneout = several(STATES);
    const int with_final = draw(2);
    for (int s = 0; s < STATES; s++) {
        call.start[s] = random_numbers(one, 1);
        call.final[s] = with_final ? empty(one) : NULL;
        call.zoneout[s] = MASKS >> (1 + s) & 1 ? either(size, 0, 1) : NULL;
    }
    call.gates = several(GATES);
    for (int g = 0; g < GATES; g++) call.gates[g] = random_numbers(size, 0);  // padding is not written

    REAL *alone = call.out = empty(size);
    if (run_layer(&call)) return fail(&call, "no memory");
    if (time == 1 && !MASKS && !steps_alike(&call, alone)) return fail(&call, "other outputs step by step");
    call.out = empty(size);
    call.kept = empty(rows * kept_stride(&call));
    call.training = 1;
    if (run_layer(&call)) return fail(&call, "no memory");
    if (memcmp(alone, call.out, size * sizeof(REAL))) return fail(&call, "other outputs in training");
    Result result = {0};
    look(&result, call.out, size);
    for (int s = 0; s < STATES; s++) look(&result, call.final[s], one);
    for (int g = 0; g < GATES; g++) look(&result, call.gates[g], size);

    call.backward = 1;
    if (draw(4)) {
        const long count = lay_out(batch, time, hidden, draw(2), &call.by_out_batch, &call.by_out_time);
        call.by_out = random_numbers(count, 1);
    }
    if (draw(4)) {
        call.by_x = empty(inputs);
        lay_out(batch, time, input, draw(2), &call.by_x_batch, &call.by_x_time);
    }
    call.by_final = several(STATES), call.by_start = several(STATES);
    for (int s = 0; s < STATES; s++) {
        call.by_final[s] = draw(2) || !call.by_out ? random_numbers(one, 1) : NULL;
        call.by_start[s] = draw(2) ? empty(one) : NULL;
    }
    if (draw(8)) call.by_weight_ih = empty(INPUTS * hidden * input);
    if (draw(8)) call.by_weight_hh = empty(BLOCKS * hidden * hidden);
    call.by_sums = empty(SUMS * hidden);
    if (WATCHED_SLOPE >= 0) call.watched = random_numbers(size, 0);
    if (run_layer(&call)) return fail(&call, "no memory");
    look(&result, call.by_x, inputs);
    look(&result, call.by_weight_ih, INPUTS * hidden * input);
    for (int b = 0; b < BLOCKS; b++) {
        int read = 0;  // a block that no state depends on has no derivatives
        for (int o = 0; o < OPERANDS; o++)
            for (int l = 0; l < OPERAND[o].lanes; l++) read |= OPERAND[o].lane[l].block == b;
        if (read && call.by_weight_hh) look(&result, call.by_weight_hh + b * hidden * hidden, hidden * hidden);
    }
    for (int s = 0; s < STATES; s++) look(&result, call.by_start[s], one);
    look(&result, call.by_sums, SUMS * hidden);
    look(&result, call.watched, size);
    if (result.not_finite) return fail(&call, "numbers that were never computed, or are not finite");
    printf("%ld %ld %ld %ld %ld %.17g\n", hidden, input, batch, time, threads, result.sum);
    while (takes > 0) free(taken[--takes]);
    return 0;
}

// Arguments: numbers of threads, with each of which all sizes are run.
int main(int count, char **arguments) {
    const long hiddens[] = {1, 7, 33, 64}, batches[] = {1, 5, 9}, times[] = {1, 2, 7};
    // hidden, input, batch, time: rows for more than one chunk, sequences for more than one, and panels for all threads
    const long larger[][4] = {{7, 5, 9, 23},  {33, 40, 9, 23},  {7, 3, 1, 300},
                              {7, 3, 101, 3}, {40, 70, 20, 11}, {100, 33, 5, 3}};
    team_join(team_shared());
    for (int argument = 1; argument < count; argument++) {
        const long threads = atol(arguments[argument]);
        for (int h = 0; h < 4; h++)
            for (int b = 0; b < 3; b++)
                for (int t = 0; t < 3; t++) {
                    const long hidden = hiddens[h], input = RAW || draw(3) == 0 ? hidden : 1 + (long)draw(50);
                    if (run_case(hidden, input, batches[b], times[t], threads)) return 1;
                }
        for (int l = 0; l < 6; l++) {
            const long *of = larger[l];
            if (run_case(of[0], RAW ? of[0] : of[1], of[2], of[3], threads)) return 1;
        }
    }
    return 0;
}
