#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int clinux_reserve(int file, off_t length) {
    return fallocate(file, FALLOC_FL_KEEP_SIZE, 0, length);
}

int clinux_begin_write_back(int file, off_t offset, off_t length) {
    return sync_file_range(file, offset, length, SYNC_FILE_RANGE_WRITE);
}

int clinux_name_thread(const char *name) {
    return pthread_setname_np(pthread_self(), name);
}

int clinux_accept(int socket, struct sockaddr_storage *address, socklen_t *size) {
    return accept4(socket, (struct sockaddr *)address, size, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int clinux_processor_count(void) {
    cpu_set_t set;
    // The set is too small for a machine of more than a thousand processors: it has enough.
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : CPU_SETSIZE;
}

size_t clinux_malloc_in_use(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

void clinux_trim_malloc(void) {
    malloc_trim(0);
}

static volatile sig_atomic_t termination_signal;
static volatile sig_atomic_t ends_at_once;
static volatile int termination_event = -1;

static void say(const char *text) {
    ssize_t ignored = write(STDOUT_FILENO, text, strlen(text));
    (void)ignored;
}

static void handle_termination(int signal) {
    int saved = errno;
    if (termination_signal != 0 && signal == SIGINT) {
        say("You insist... exiting now.\n");
        _exit(1);
    }
    if (ends_at_once) {
        say("Received shutdown signal during loading, exiting now.\n");
        _exit(0);
    }
    if (termination_signal == 0) termination_signal = signal;
    uint64_t one = 1;
    ssize_t ignored = write(termination_event, &one, sizeof one);
    (void)ignored;
    errno = saved;
}

void clinux_watch_termination(int wake_up) {
    termination_event = wake_up;
    struct sigaction action = {.sa_handler = handle_termination};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
}

int clinux_termination_signal(void) { return termination_signal; }

void clinux_exit_on_termination(int is_set) { ends_at_once = is_set; }

int clinux_lower_thread_priority(int nice) {
    const struct sched_param none = {0};
    sched_setscheduler(0, SCHED_BATCH, &none);
    return setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), nice);
}

void clinux_forget_termination(void) { termination_signal = 0; }

void clinux_become_daemon(void) {
    if (fork() != 0) _exit(0);
    setsid();
    int null = open("/dev/null", O_RDWR);
    if (null < 0) return;
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    if (null > STDERR_FILENO) close(null);
}
