/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* file_baseline.h - the least that a file over HTTP can be with these libraries: bare
 * evhttp, which gives every request the same file by sendfile. */
#ifndef LL_FILE_BASELINE_H
#define LL_FILE_BASELINE_H

/* Serve 127.0.0.1:`port` in this process for ever. */
_Noreturn void file_baseline_serve(int port, const char *path);

#endif
