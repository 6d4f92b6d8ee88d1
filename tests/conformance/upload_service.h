/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* upload_service.h - a server with two routes, for what core itself promises of uploads
 * and of blobs as answers: POST /files/form tells what came (and keeps the files, where
 * the form has a field `keep`), GET /files/contents/:hash answers with a blob. It needs
 * no database. Trouble in here ends the test with a message.
 */
#ifndef LL_UPLOAD_SERVICE_H
#define LL_UPLOAD_SERVICE_H

#include "core/http/http.h"

#include <sys/types.h>

enum { /* the limits of its form */
       UPLOAD_TOTAL = 300 * 1024 * 1024,
       UPLOAD_FILES = 20,
       UPLOAD_FILE = 250 * 1024 * 1024,
       UPLOAD_FIELDS = 4,
       UPLOAD_FIELD = 1000
};

struct upload_server {
    pid_t pid;
    int port;
    const char *reserve;
    char folder[64]; /* of its blobs */
};

/* `reserve`: the setting blobs.reserve. */
void upload_server_start(struct upload_server *s, const char *reserve);
/* SIGTERM, and its exit status; its folder goes too. */
int upload_server_stop(struct upload_server *s);
/* Its process only, as by a crash; the folder stays. */
void upload_server_kill(struct upload_server *s);
/* KiB of resident memory; the largest it has been. */
size_t upload_server_memory(const struct upload_server *s);
size_t upload_server_descriptors(const struct upload_server *s);
/* Files in the folder: kept blobs, and drafts. */
size_t upload_server_blobs(const struct upload_server *s);
size_t upload_server_drafts(const struct upload_server *s);
/* The store that it writes to, opened by the test; the caller frees it. */
struct blob_store *upload_server_store(const struct upload_server *s);

#endif
