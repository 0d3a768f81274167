/* The pool of threads that all compiled cells of a process share. See team.h for what a caller may rely on.
 *
 * A thread of the pool waits for its next job awake for some 20 to 50 microseconds, then asleep. It takes no signals,
 * so that Ctrl-C reaches the thread of Python. After a fork the child has no threads, and starts its own when asked.
 * Where torch has handed over its OpenMP team, that one runs the jobs: its threads are awake, spinning, for some
 * milliseconds after each operation of torch, and would take the cores from threads of ours.
 */
#define TEAM_OWNER
#include "team.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#define EXPORTED __attribute__((visibility("default")))
#define STACK_BYTES (1 << 20) /* of addresses: memory is taken only where a work touches it */

typedef struct {
    atomic_uint job; /* counts the jobs given to this thread */
    int number;
    TeamWork work;
    void *argument;
    pthread_mutex_t lock;
    pthread_cond_t given;
} Worker;

typedef void (*Parallel)(void (*)(void *), void *, unsigned, unsigned);

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER; /* held through a job, and while threads are started */
static Worker **workers;                                 /* members 1, 2, ... of a job */
static int started;                                      /* how many of them there are */
static atomic_int working;                               /* of the job that runs: members but the caller */
static atomic_bool caller_asleep;
static pthread_mutex_t done_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t done = PTHREAD_COND_INITIALIZER;
static _Atomic(Parallel) parallel; /* of torch's libgomp; NULL: threads of ours */
static int (*num_threads)(void);
static int (*thread_num)(void);
static int (*max_threads)(void);

static void wait_for_job(Worker *worker, unsigned seen) {
    for (int spin = 0; spin < TEAM_SPINS; spin++) {
        if (atomic_load_explicit(&worker->job, memory_order_acquire) != seen)
            return;
        team_pause();
    }
    pthread_mutex_lock(&worker->lock);
    while (atomic_load(&worker->job) == seen)
        pthread_cond_wait(&worker->given, &worker->lock);
    pthread_mutex_unlock(&worker->lock);
}

static void *worker_runs(void *self) {
    Worker *worker = self;
    for (unsigned seen = 0;; seen++) {
        wait_for_job(worker, seen);
        worker->work(worker->argument, worker->number);
        if (atomic_fetch_sub(&working, 1) == 1 && atomic_load(&caller_asleep)) {
            pthread_mutex_lock(&done_lock);
            pthread_cond_signal(&done);
            pthread_mutex_unlock(&done_lock);
        }
    }
    return NULL;
}

static void give(Worker *worker, TeamWork work, void *argument) {
    worker->work = work;
    worker->argument = argument;
    pthread_mutex_lock(&worker->lock);
    atomic_fetch_add(&worker->job, 1);
    pthread_cond_signal(&worker->given);
    pthread_mutex_unlock(&worker->lock);
}

static void wait_for_workers(void) {
    for (int spin = 0; spin < TEAM_SPINS; spin++) {
        if (atomic_load(&working) == 0)
            return;
        team_pause();
    }
    pthread_mutex_lock(&done_lock);
    atomic_store(&caller_asleep, true);
    while (atomic_load(&working))
        pthread_cond_wait(&done, &done_lock);
    atomic_store(&caller_asleep, false);
    pthread_mutex_unlock(&done_lock);
}

/* Only the thread that forked is left: its first job starts threads again. Those of the parent stay the parent's. */
static void after_fork_in_child(void) {
    pthread_mutex_init(&turn, NULL);
    pthread_mutex_init(&done_lock, NULL);
    pthread_cond_init(&done, NULL);
    atomic_store(&working, 0);
    atomic_store(&caller_asleep, false);
    workers = NULL;
    started = 0;
    atomic_store(&parallel, NULL); /* libgomp waits for ever for a team that a fork has taken from it */
}

__attribute__((constructor)) static void at_load(void) { pthread_atfork(NULL, NULL, after_fork_in_child); }

static bool start_worker(void) {
    Worker **grown = realloc(workers, (size_t)(started + 1) * sizeof(Worker *));
    if (!grown)
        return false;
    workers = grown;
    Worker *worker = calloc(1, sizeof(Worker));
    if (!worker)
        return false;
    worker->number = started + 1;
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->given, NULL);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigset_t every, before;
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    pthread_t thread;
    bool made = pthread_create(&thread, &attributes, worker_runs, worker) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (!made) {
        free(worker);
        return false;
    }
    workers[started++] = worker;
    return true;
}

static int shared_size(int wanted) {
    pthread_mutex_lock(&turn);
    while (started < wanted - 1 && start_worker())
        ;
    int size = started + 1 < wanted ? started + 1 : wanted;
    pthread_mutex_unlock(&turn);
    return size;
}

static void run_ours(int threads, TeamWork work, void *argument) {
    pthread_mutex_lock(&turn);
    atomic_store(&working, threads - 1);
    for (int k = 0; k < threads - 1; k++)
        give(workers[k], work, argument);
    work(argument, 0);
    wait_for_workers();
    pthread_mutex_unlock(&turn);
}

typedef struct {
    TeamWork work;
    void *argument;
    int threads;
    bool ran;
} Job;

static void run_member(void *data) {
    Job *job = data;
    if (num_threads() != job->threads)
        return; /* a limit, or inside another parallel region: all members see the same number */
    int thread = thread_num();
    if (thread == 0)
        job->ran = true;
    job->work(job->argument, thread);
}

static void shared_run(int threads, TeamWork work, void *argument) {
    Parallel run = atomic_load(&parallel);
    if (run && max_threads() == threads) { /* at another size libgomp ends threads, and torch starts them anew */
        Job job = {work, argument, threads, false};
        run(run_member, &job, (unsigned)threads, 0);
        if (job.ran)
            return;
    }
    run_ours(threads, work, argument);
}

/* The Team to hand to team_join of every other library. */
EXPORTED const Team *team_shared(void) {
    static const Team team = {shared_size, shared_run};
    return &team;
}

/* Run jobs on torch's OpenMP team where they ask for as many threads as torch. Called once, before the first job, with
   GOMP_parallel, omp_get_num_threads, omp_get_thread_num, omp_get_max_threads of the libgomp that torch has loaded. */
EXPORTED void team_use(Parallel gomp_parallel, int (*size)(void), int (*number)(void), int (*most)(void)) {
    num_threads = size;
    thread_num = number;
    max_threads = most;
    atomic_store(&parallel, gomp_parallel);
}
