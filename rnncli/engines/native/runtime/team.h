/* The threads that share a job, as the library of a cell sees them, and the barrier at which they meet.
 *
 * The threads themselves live in team.c, a library of its own: a process that has compiled forty cells has one pool,
 * not forty. Python hands every library the Team of that pool; until then a job has one thread. The contract:
 *
 *     int members = team_size(wanted);              how many threads there are, from 1 to wanted
 *     team_run(members, work, &job);                work(&job, 0) here, work(&job, 1 .. members - 1) elsewhere
 *
 * All members run at the same time, so they may meet at barriers. A work starts no job of its own, forks nothing and
 * leaves by returning. Several callers may come at once.
 */
#ifndef RNNCLI_TEAM_H
#define RNNCLI_TEAM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

typedef void (*TeamWork)(void *argument, int thread);

typedef struct {
    int (*size)(int wanted);
    void (*run)(int threads, TeamWork work, void *argument);
} Team;

#ifndef TEAM_OWNER
static const Team *team_joined;

/* Called once from Python, before the first job. */
__attribute__((visibility("default"))) void team_join(const Team *team) { team_joined = team; }

static inline int team_size(int wanted) { return team_joined && wanted > 1 ? team_joined->size(wanted) : 1; }

static inline void team_run(int threads, TeamWork work, void *argument) {
    if (threads > 1)
        team_joined->run(threads, work, argument);
    else
        work(argument, 0);
}
#endif

static inline void team_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("isb"); /* `yield` takes no time at all */
#endif
}

#ifndef TEAM_SPINS
#define TEAM_SPINS 2000 /* pauses: 20 to 50 microseconds, about what falling asleep and being woken costs */
#endif

/* Where `members` threads wait for one another, as often as they like. It needs no end: it holds no memory. */
typedef struct {
    atomic_uint round;
    atomic_int arrived;
    atomic_int asleep;
    pthread_mutex_t lock;
    pthread_cond_t next;
} Barrier;

static inline void barrier_start(Barrier *barrier) {
    atomic_init(&barrier->round, 0);
    atomic_init(&barrier->arrived, 0);
    atomic_init(&barrier->asleep, 0);
    pthread_mutex_init(&barrier->lock, NULL);
    pthread_cond_init(&barrier->next, NULL);
}

/* Wait without the core: a thread of the round may need it, and some other library's threads may be spinning. */
static __attribute__((noinline, unused)) void barrier_sleep(Barrier *barrier, unsigned round) {
    pthread_mutex_lock(&barrier->lock);
    atomic_fetch_add(&barrier->asleep, 1);
    while (atomic_load(&barrier->round) == round)
        pthread_cond_wait(&barrier->next, &barrier->lock);
    atomic_fetch_sub(&barrier->asleep, 1);
    pthread_mutex_unlock(&barrier->lock);
}

/* All that a member wrote before it, every member sees after it. */
static inline void barrier_wait(Barrier *barrier, int members) {
    if (members < 2)
        return;
    unsigned round = atomic_load_explicit(&barrier->round, memory_order_relaxed);
    if (atomic_fetch_add(&barrier->arrived, 1) == members - 1) {
        atomic_store_explicit(&barrier->arrived, 0, memory_order_relaxed);
        atomic_store(&barrier->round, round + 1); /* in one order with `asleep`: one of the two sees the other */
        if (atomic_load(&barrier->asleep)) {
            pthread_mutex_lock(&barrier->lock);
            pthread_cond_broadcast(&barrier->next);
            pthread_mutex_unlock(&barrier->lock);
        }
        return;
    }
    for (int spin = 0; spin < TEAM_SPINS; spin++) {
        if (atomic_load_explicit(&barrier->round, memory_order_acquire) != round)
            return;
        team_pause();
    }
    barrier_sleep(barrier, round);
}

#endif
