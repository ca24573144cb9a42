// The least that a server can do: what PING gets is answered without a look at it.
//
//     loops epoll|io_uring PORT
//
// Ends at SIGTERM with the processor's time a request. A request is 14 bytes, as redis-benchmark
// sends PING; the loop does what every server does for a turn, and nothing else.
#define _GNU_SOURCE
#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { requestBytes = 14, replyBytes = 7, inputBytes = 16384, inputs = 1024, clients = 1024 };
static char replies[inputBytes / requestBytes * replyBytes + replyBytes];
static long requests;

static void report(int signal) {
    (void)signal;
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double user = used.ru_utime.tv_sec * 1e6 + used.ru_utime.tv_usec;
    double system = used.ru_stime.tv_sec * 1e6 + used.ru_stime.tv_usec;
    printf("%.2f+%.2f us a request\n", user / requests, system / requests);
    exit(0);
}

static void check(int result, const char *what) {
    if (result < 0) {
        perror(what);
        exit(1);
    }
}

static int listening(int port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    check(bind(fd, (struct sockaddr *)&address, sizeof address), "bind");
    check(listen(fd, 511), "listen");
    return fd;
}

/// As servers do now: wait, then receive and send for each client that is ready.
static void withEpoll(int listener) {
    static char input[inputBytes];
    int queue = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
    check(epoll_ctl(queue, EPOLL_CTL_ADD, listener, &event), "epoll_ctl");
    for (;;) {
        int count = epoll_wait(queue, events, 256, -1);
        for (int index = 0; index < count; index++) {
            int fd = events[index].data.fd;
            if (fd == listener) {
                int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK), on = 1;
                setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                event.data.fd = client;
                epoll_ctl(queue, EPOLL_CTL_ADD, client, &event);
                continue;
            }
            ssize_t size = recv(fd, input, sizeof input, 0);
            if (size <= 0) {
                close(fd);
                continue;
            }
            requests += size / requestBytes;
            send(fd, replies, size / requestBytes * replyBytes, MSG_NOSIGNAL);
        }
    }
}

/// With what io_uring has to save work: registered sockets, one request for all that a client
/// will ever send, buffers that the kernel chooses, and one system call a turn.
static void withRing(int listener) {
    struct io_uring ring;
    struct io_uring_params parameters = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE,
        .cq_entries = 8 * inputs};
    check(io_uring_queue_init_params(2 * clients, &ring, &parameters), "io_uring");
    check(io_uring_register_files_sparse(&ring, clients), "sockets");
    struct io_uring_buf_ring *free;
    check(-posix_memalign((void **)&free, 4096, inputs * sizeof(struct io_uring_buf)), "memory");
    struct io_uring_buf_reg registration = {
        .ring_addr = (unsigned long)free, .ring_entries = inputs, .bgid = 0};
    check(io_uring_register_buf_ring(&ring, &registration, 0), "buffers");
    io_uring_buf_ring_init(free);
    char *input = malloc((size_t)inputs * inputBytes);
    int mask = io_uring_buf_ring_mask(inputs);
    for (int id = 0; id < inputs; id++)
        io_uring_buf_ring_add(free, input + (size_t)id * inputBytes, inputBytes, id, mask, id);
    io_uring_buf_ring_advance(free, inputs);

    enum { accepted = 1, received, sent, closed };
#define SUBMIT(kind, fd) ((unsigned long long)(kind) << 32 | (unsigned)(fd))
    struct io_uring_sqe *entry = io_uring_get_sqe(&ring);
    io_uring_prep_multishot_accept_direct(entry, listener, NULL, NULL, 0);
    entry->user_data = SUBMIT(accepted, 0);
    for (;;) {
        io_uring_submit_and_wait(&ring, 1);
        struct io_uring_cqe *done;
        unsigned head, count = 0;
        int returned = 0;
        io_uring_for_each_cqe(&ring, head, done) {
            count++;
            int kind = done->user_data >> 32, fd = (int)done->user_data, listens = 0;
            if (kind == accepted) {
                check(done->res, "accept");
                fd = done->res;
                listens = 1;
            } else if (kind == received && done->res > 0) {
                int id = done->flags >> IORING_CQE_BUFFER_SHIFT, answers = done->res / requestBytes;
                io_uring_buf_ring_add(
                    free, input + (size_t)id * inputBytes, inputBytes, id, mask, returned++);
                requests += answers;
                entry = io_uring_get_sqe(&ring);
                io_uring_prep_send(entry, fd, replies, answers * replyBytes, MSG_NOSIGNAL);
                entry->flags |= IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS;
                entry->user_data = SUBMIT(sent, fd);
                listens = !(done->flags & IORING_CQE_F_MORE);
            } else if (kind == received) {
                entry = io_uring_get_sqe(&ring);
                io_uring_prep_close_direct(entry, fd);
                entry->user_data = SUBMIT(closed, fd);
            }
            if (!listens) continue;
            entry = io_uring_get_sqe(&ring);
            io_uring_prep_recv_multishot(entry, fd, NULL, 0, 0);
            entry->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
            entry->buf_group = 0;
            entry->user_data = SUBMIT(received, fd);
        }
        io_uring_buf_ring_advance(free, returned);
        io_uring_cq_advance(&ring, count);
    }
}

int main(int count, char **arguments) {
    if (count != 3) {
        fprintf(stderr, "usage: %s epoll|io_uring PORT\n", arguments[0]);
        return 2;
    }
    signal(SIGTERM, report);
    for (size_t at = 0; at + replyBytes <= sizeof replies; at += replyBytes)
        memcpy(replies + at, "+PONG\r\n", replyBytes);
    int listener = listening(atoi(arguments[2]));
    if (strcmp(arguments[1], "epoll") == 0) withEpoll(listener);
    withRing(listener);
}
