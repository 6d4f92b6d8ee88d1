/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* checker.h - a server that knows nothing but signed fetch: what a client must get past
 * before any service sees its request. One at a time. */
#ifndef LL_CHECKER_H
#define LL_CHECKER_H

/* Start it on a thread; `url` is then "http://127.0.0.1:PORT". It answers 200 and
 * {"address","method","path","metadata","body","signer"}, or the status and message that
 * core/auth refuses with. */
void checker_start(char url[64]);
void checker_stop(void);
/* How many requests it has answered. */
unsigned checker_count(void);

#endif
