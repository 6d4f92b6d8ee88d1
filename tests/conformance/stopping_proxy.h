/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* stopping_proxy.h - stands between a process and Postgres, and stops the process
 * (SIGSTOP) behind the n-th message of a flight.
 *
 * It relays bytes. On the connections whose application name begins with one text it also
 * reads the client's messages; once armed it counts them, on all of these, from the next
 * use of one statement on ("begin", where nothing else is said), and at the n-th stops
 * the process and withholds what comes behind it, as if the process had not sent it yet,
 * until release.
 */
#ifndef LL_STOPPING_PROXY_H
#define LL_STOPPING_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct stopping_proxy;

/* In front of the server of `conninfo`; the new conninfo comes through `out`. */
struct stopping_proxy *proxy_start(const char *conninfo, const char *application,
                                   char *out, size_t room);
void proxy_end(struct stopping_proxy *p);
/* The prepared statement that begins a flight, or a part of the simple query that does;
 * before arming. */
void proxy_count_from(struct stopping_proxy *p, const char *statement);
/* Stop `pid` behind the n-th message (1: the Bind of "begin") of the next flight. */
void proxy_arm(struct stopping_proxy *p, pid_t pid, size_t n);
/* Has it? */
bool proxy_has_stopped(struct stopping_proxy *p);
/* Let what was withheld go on, and count no more. Does not continue the process. */
void proxy_release(struct stopping_proxy *p);

#endif
