#define _GNU_SOURCE
#include "CLinux.h"

#include <fcntl.h>
#include <pthread.h>

int clinux_reserve(int file, off_t length) {
    return fallocate(file, FALLOC_FL_KEEP_SIZE, 0, length);
}

int clinux_name_thread(const char *name) {
    return pthread_setname_np(pthread_self(), name);
}
