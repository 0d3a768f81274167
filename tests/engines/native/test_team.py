"""The pool of threads and its barrier, in C, compiled as the engine compiles them: under fork, callers, signals."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import rnncli.engines

RUNTIME = Path(rnncli.engines.__file__).parent / "native" / "runtime"
COMPILER = shutil.which("cc")
pytestmark = pytest.mark.skipif(COMPILER is None, reason="there is no compiler `cc` on PATH")

# Jobs that show who ran and what each member saw. They return -1 where the team was smaller than asked.
JOBS = r"""
#include "team.h"
#include <signal.h>
#include <time.h>

#define MOST 2000

typedef struct { Barrier all; int members; long rounds; long wrong[MOST]; long seen[2][MOST]; } Meeting;

/* In each round every member says so, and finds that every other has, and none is a round ahead. */
static void meet(void *argument, int thread) {
    Meeting *meeting = argument;
    for (long round = 1; round <= meeting->rounds; round++) {
        long *seen = meeting->seen[round & 1];
        seen[thread] = round;
        barrier_wait(&meeting->all, meeting->members);
        for (int other = 0; other < meeting->members; other++)
            meeting->wrong[thread] += seen[other] != round;
    }
}

/* How often a member missed another: 0 if the barrier holds. */
long meetings(int members, long rounds) {
    Meeting meeting = {.members = members, .rounds = rounds};
    if (team_size(members) != members)
        return -1;
    barrier_start(&meeting.all);
    team_run(members, meet, &meeting);
    long wrong = 0;
    for (int k = 0; k < members; k++)
        wrong += meeting.wrong[k] + (meeting.seen[rounds & 1][k] != rounds);
    return wrong;
}

typedef struct { Barrier all; int members; long count; const double *values; double part[MOST]; double sum; } Sum;

static void add(void *argument, int thread) {
    Sum *sum = argument;
    for (long k = thread; k < sum->count; k += sum->members)
        sum->part[thread] += sum->values[k];
    barrier_wait(&sum->all, sum->members);
    for (int k = 0; thread == sum->members - 1 && k < sum->members; k++)
        sum->sum += sum->part[k];
}

double sum(const double *values, long count, int members) {
    Sum job = {.members = members, .count = count, .values = values};
    if (team_size(members) != members)
        return -1;
    barrier_start(&job.all);
    team_run(members, add, &job);
    return job.sum;
}

typedef struct { pthread_t caller; int runs[MOST]; int takes_interrupts[MOST]; int is_caller[MOST]; } Roll;

static void call_roll(void *argument, int thread) {
    Roll *roll = argument;
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    roll->runs[thread] += 1;
    roll->takes_interrupts[thread] = !sigismember(&blocked, SIGINT);
    roll->is_caller[thread] = pthread_equal(pthread_self(), roll->caller) != 0;
}

/* 0 if each member ran once, the first on the calling thread, and only that one takes SIGINT. */
int roll(int members) {
    Roll roll = {.caller = pthread_self()};
    if (team_size(members) != members)
        return -1;
    team_run(members, call_roll, &roll);
    int wrong = 0;
    for (int k = 0; k < MOST; k++) {
        wrong += roll.runs[k] != (k < members);
        wrong += roll.takes_interrupts[k] != (k == 0) || roll.is_caller[k] != (k == 0);
    }
    return wrong;
}

int size(int wanted) { return team_size(wanted); }

/* To an end that a signal does not bring nearer. */
static void linger(void *argument, int thread) {
    struct timespec left = {*(int *)argument / 1000, *(int *)argument % 1000 * 1000000L};
    while (nanosleep(&left, &left) != 0)
        ;
    (void)thread;
}

void long_job(int members, int milliseconds) { team_run(team_size(members), linger, &milliseconds); }
"""

# What every test starts with: both libraries, and a process that ends by itself if it hangs.
OPENING = """
import ctypes, os, random, resource, signal, sys, threading, time
signal.alarm(50)
team, jobs = (ctypes.CDLL(f"{sys.argv[1]}/{name}.so") for name in ("team", "jobs"))
team.team_shared.restype = ctypes.c_void_p
jobs.team_join.argtypes, jobs.team_join.restype = [ctypes.c_void_p], None
jobs.meetings.argtypes, jobs.meetings.restype = [ctypes.c_int, ctypes.c_long], ctypes.c_long
jobs.sum.argtypes, jobs.sum.restype = [ctypes.c_void_p, ctypes.c_long, ctypes.c_int], ctypes.c_double

def child(work):
    number = os.fork()
    if number == 0:
        signal.alarm(30)
        os._exit(0 if work() == 0 else 1)
    return number

def ended_well(number):
    return os.waitpid(number, 0)[1] == 0
"""
SKIPPED = 77
JOIN = "jobs.team_join(team.team_shared())\n"


@pytest.fixture(scope="module")
def libraries(tmp_path_factory):
    folder = tmp_path_factory.mktemp("team")
    (folder / "jobs.c").write_text(JOBS)
    flags = ["-O2", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-pthread", f"-I{RUNTIME}"]
    for source in (RUNTIME / "team.c", folder / "jobs.c"):
        subprocess.run([str(COMPILER), *flags, str(source), "-o", str(folder / source.stem) + ".so"], check=True)
    return folder


@pytest.fixture
def python(libraries):
    """Runs code in a process of its own, which knows the libraries, and fails with what it says."""

    def run(code, join=JOIN):
        command = [sys.executable, "-c", OPENING + join + textwrap.dedent(code), str(libraries)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        if done.returncode == SKIPPED:
            pytest.skip("torch runs on something else than libgomp here")
        assert done.returncode == 0, done.stderr

    return run


@pytest.mark.parametrize("members", [1, 2, 3, 5])
def test_no_member_passes_a_barrier_before_the_others_reach_it(python, members):
    python(f"assert jobs.meetings({members}, 10_000) == 0")


def test_sums_in_a_fixed_order_do_not_differ_between_runs(python):
    """Nor from the same order in Python: (0, 3, 6, ...) + (1, 4, 7, ...) + (2, 5, 8, ...)."""
    python("""
        values = [random.gauss(0, 10.0 ** random.randint(-8, 8)) for _ in range(10_007)]
        given = (ctypes.c_double * len(values))(*values)
        for members in (1, 2, 3, 4) * 20:
            expected = 0.0
            for first in range(members):
                part = 0.0
                for value in values[first::members]:
                    part += value
                expected += part
            assert jobs.sum(given, len(values), members) == expected
    """)


def test_each_number_runs_once_and_the_pool_grows(python):
    """And of all of them only the caller takes SIGINT."""
    python("""
        for members in [1, 2, 5, 3, 1, 9, 2, 17, 4, 17]:
            assert jobs.roll(members) == 0, members
            assert jobs.meetings(members, 50) == 0, members
    """)


def test_a_library_that_has_no_team_runs_alone(python):
    python("assert jobs.size(4) == 1 and jobs.roll(1) == 0 and jobs.roll(2) == -1", join="")


@pytest.mark.parametrize("pause", [0.0, 0.1], ids=["awake", "asleep"])
def test_a_forked_child_has_threads_of_its_own(python, pause):
    """A grandchild too; and the parent keeps those it had."""
    python(f"""
        def descend(generations):
            assert jobs.meetings(3, 100) == 0
            time.sleep({pause})
            return 0 if generations == 0 or ended_well(child(lambda: descend(generations - 1))) else 1

        for _ in range(5):
            assert descend(2) == 0
            assert jobs.meetings(4, 100) == 0
    """)


def test_a_fork_while_another_thread_runs_a_job(python):
    python("""
        running = threading.Thread(target=lambda: jobs.long_job(3, 300))
        assert jobs.meetings(3, 10) == 0
        running.start()
        time.sleep(0.05)
        assert ended_well(child(lambda: jobs.meetings(3, 100)))
        assert running.is_alive()
        running.join()
        assert jobs.meetings(3, 10) == 0
    """)


def test_callers_at_the_same_time(python):
    python("""
        wrong = []
        def call(members):
            for _ in range(200):
                wrong.append(jobs.meetings(members, 20) + jobs.roll(members))
        callers = [threading.Thread(target=call, args=[members]) for members in (2, 3, 2)]
        for caller in callers:
            caller.start()
        call(4)
        for caller in callers:
            caller.join()
        assert len(wrong) == 800 and not any(wrong)
    """)


def test_an_interrupt_during_a_job_reaches_the_main_thread(python):
    """Within a job of its own as soon as that ends; during another thread's job at once."""
    python("""
        def interrupted(doing):
            sender = threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT))
            sender.start()
            try:
                doing()
                time.sleep(20)
            except KeyboardInterrupt:
                return True
            finally:
                sender.join()
        assert interrupted(lambda: jobs.long_job(3, 300))
        other = threading.Thread(target=lambda: jobs.long_job(3, 2000))
        other.start()
        assert interrupted(lambda: None) and other.is_alive()
        assert jobs.meetings(3, 10) == 0
    """)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process to some bytes of addresses")
def test_where_threads_cannot_be_started_the_team_is_smaller(python):
    python("""
        taken = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + 20_000_000, resource.RLIM_INFINITY))
        size = jobs.size(1000)
        assert 1 < size < 100, size
        assert jobs.size(size + 1) == size and jobs.size(2) == 2
        assert jobs.roll(1000) == -1 and jobs.roll(size) == 0 and jobs.meetings(size, 20) == 0
    """)


def test_jobs_on_the_team_of_torch(python):
    """Those of its size only, and none in a forked child; `roll` tells, as only torch's threads take SIGINT."""
    python("""
        import torch
        loaded = [line.split()[-1] for line in open("/proc/self/maps")] if sys.platform == "linux" else []
        paths = {path for path in loaded if "libgomp" in path}
        if len(paths) != 1:
            sys.exit(77)
        omp = ctypes.CDLL(paths.pop())
        functions = (omp.GOMP_parallel, omp.omp_get_num_threads, omp.omp_get_thread_num, omp.omp_get_max_threads)
        team.team_use.argtypes, team.team_use.restype = [ctypes.c_void_p] * 4, None
        team.team_use(*(ctypes.cast(each, ctypes.c_void_p) for each in functions))
        torch.set_num_threads(2)
        for _ in range(20):
            torch.ones(500, 500) @ torch.ones(500, 500)
            assert jobs.roll(2) == 1 and jobs.meetings(2, 100) == 0
            assert jobs.roll(3) == 0 and jobs.meetings(3, 100) == 0
        assert ended_well(child(lambda: jobs.roll(2) + jobs.meetings(2, 100)))
        omp.omp_set_dynamic(1)  # now torch's team may be smaller than asked, and the job must not be
        assert jobs.meetings(2, 100) == 0
        torch.set_num_threads(3)
        assert jobs.roll(2) == 0 and jobs.meetings(3, 100) == 0
    """)
