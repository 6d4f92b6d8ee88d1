/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* free_port.h - a TCP port of the loopback address that nobody listens on just now. */
#ifndef LL_FREE_PORT_H
#define LL_FREE_PORT_H

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static inline int free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (s < 0 || bind(s, (struct sockaddr *)&at, size) != 0 ||
        getsockname(s, (struct sockaddr *)&at, &size) != 0) {
        perror("no free port");
        exit(1);
    }
    close(s);
    return ntohs(at.sin_port);
}

#endif
