#ifndef CLINUX_H
#define CLINUX_H

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <time.h>

// What glibc declares only under _GNU_SOURCE, which Swift's Glibc module is built without.

// Reserves blocks for the first `length` bytes without making the file longer.
int clinux_reserve(int file, off_t length);

// Begins to write dirty pages of a part of a file, without waiting for them.
int clinux_begin_write_back(int file, off_t offset, off_t length);

// Names the calling thread, for `top -H` and core dumps.
int clinux_name_thread(const char *name);

// Gives the calling thread a smaller share of the processor: 19 is the smallest.
int clinux_lower_thread_priority(int nice);

// Accepts a connection that does not block and is closed on exec.
int clinux_accept(int socket, struct sockaddr_storage *address, socklen_t *size);

// The processor's own clock: one instruction, a few nanoseconds. Its pace is the same on all
// cores and in all states of sleep, but nobody says which it is: it has to be measured.
static inline uint64_t clinux_ticks(void) {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#else
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
#endif
}

// How many processors the process may run on.
int clinux_processor_count(void);

// Bytes in blocks that malloc has given out and not got back, of all threads.
size_t clinux_malloc_in_use(void);

// Gives free memory of malloc back to the system.
void clinux_trim_malloc(void);

// Signal handlers are C: they may run between any two instructions, where Swift's runtime
// (allocation, exclusivity) must not be entered.

// From here on SIGINT and SIGTERM set a flag and add 1 to the eventfd `wake_up`.
void clinux_watch_termination(int wake_up);

// The signal that came first, or 0.
int clinux_termination_signal(void);

// Makes it 0 again.
void clinux_forget_termination(void);

// Forks, ends the first process, and cuts the second off from its terminal.
void clinux_become_daemon(void);

// While `is_set`, either signal ends the process with code 0.
void clinux_exit_on_termination(int is_set);

#endif
