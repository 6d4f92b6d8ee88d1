/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* evhttp_baseline.h - the least that a look-up over HTTP can be with these libraries:
 * bare evhttp, and one prepared statement with one Sync a request down one pipelined
 * connection. No limits, no routing, no log, no errors: a figure to compare with, not a
 * server. */
#ifndef LL_EVHTTP_BASELINE_H
#define LL_EVHTTP_BASELINE_H

#include "core/base/base.h"

/* Serve 127.0.0.1:`port` in this process for ever. The last two segments of a request's
 * path are the statement's parameters; the answer's body is its column `column`. */
_Noreturn void evhttp_baseline_serve(int port, const char *conninfo, const char *sql,
                                     int column);

#endif
