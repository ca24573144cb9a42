#ifndef CLINUX_H
#define CLINUX_H

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/types.h>

// What glibc declares only under _GNU_SOURCE, which Swift's Glibc module is built without.

// Reserves blocks for the first `length` bytes without making the file longer.
int clinux_reserve(int file, off_t length);

// Names the calling thread, for `top -H` and core dumps.
int clinux_name_thread(const char *name);

#endif
