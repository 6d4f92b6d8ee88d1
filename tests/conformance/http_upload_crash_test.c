/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* http_upload_crash_test.c - a server that is killed while it receives or keeps: each
 * blob is there whole or not at all, and the sweep removes what was left.
 */
#include "raw_http.h"
#include "unit/t.h"
#include "upload_service.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DISPOSITION "--xyz\r\nContent-Disposition: form-data; "

enum { MIB = 1024 * 1024, SETTLE_MS = 5000, KILLS = 12 };

static struct upload_server server;
static struct raw_reply reply;

static void send_head(int s, size_t length)
{
    char head[256];

    snprintf(head, sizeof(head),
             "POST /files/form HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
             "multipart/form-data; boundary=xyz\r\nContent-Length: %zu\r\n\r\n",
             length);
    raw_send(s, text_of(head));
}

static ll_rc none_is_referenced(void *context, const struct text *names, size_t n,
                                bool *is_referenced, struct ll_error *err)
{
    (void)context, (void)names, (void)is_referenced, (void)n, (void)err;
    return LL_OK;
}

static void what_a_dead_process_leaves_is_swept(void)
{
    struct blob_store *store;
    struct blob_sweep swept;
    struct ll_error err;
    int s;

    upload_server_start(&server, "0");
    store = upload_server_store(&server);
    s = raw_connect(server.port);
    send_head(s, MIB);
    OK(raw_send(s, TEXT(DISPOSITION "name=f; filename=f\r\n\r\nand so on")));
    for (int ms = 0; ms < SETTLE_MS && upload_server_drafts(&server) == 0; ms += 20)
        usleep(20000);
    OK(blob_store_sweep(store, none_is_referenced, NULL, &swept, &err) == LL_OK);
    OK(swept.drafts == 0 && upload_server_drafts(&server) == 1);
    upload_server_kill(&server);
    OK(upload_server_drafts(&server) == 1);
    OK(blob_store_sweep(store, none_is_referenced, NULL, &swept, &err) == LL_OK);
    OK(swept.drafts == 1 && upload_server_drafts(&server) == 0);
    blob_store_free(store);
    upload_server_stop(&server);
    close(s);
}

/* A client that keeps forms of a few random files, until the server is gone. */
static _Noreturn void keep_on_keeping(unsigned seed)
{
    srand(seed);
    for (;;) {
        struct builder b;
        int s = raw_connect(server.port); /* ends this process when it is gone */

        builder_init(&b, MIB);
        builder_string(&b, DISPOSITION "name=keep\r\n\r\n\r\n");
        for (int i = 0; i < 5; i++) {
            builder_printf(&b, DISPOSITION "name=p%d; filename=f\r\n\r\n", i);
            for (int n = rand() % 30000; n >= 0; n--) builder_char(&b, (char)rand());
            builder_string(&b, "\r\n");
        }
        builder_string(&b, "--xyz--\r\n");
        send_head(s, b.len);
        raw_send(s, builder_view(&b));
        raw_receive(s, 1, 5000, &reply);
        builder_fini(&b);
        close(s);
    }
}

static bool is_what_it_is_called(struct blob_store *store, const char *name)
{
    struct builder bytes;
    struct ll_error err;
    struct cids c;
    bool is;

    builder_init(&bytes, MIB);
    is = blob_read(store, text_of(name), MIB, &bytes, &err) == LL_OK;
    cids_of(builder_view(&bytes), &c);
    builder_fini(&bytes);
    return is && strcmp(c.v1, name) == 0;
}

/* Every name in the folder is the hash of what lies there. */
static void check_names(size_t *count)
{
    struct blob_store *store = upload_server_store(&server);
    char command[160], path[256];
    FILE *list;

    snprintf(command, sizeof(command), "find '%s' -type f -name 'ba*'", server.folder);
    list = popen(command, "r");
    while (list != NULL && fgets(path, sizeof(path), list) != NULL) {
        path[strcspn(path, "\n")] = '\0';
        OK(is_what_it_is_called(store, strrchr(path, '/') + 1));
        ++*count;
    }
    if (list != NULL) pclose(list);
    blob_store_free(store);
}

static void a_kill_leaves_whole_blobs_or_none(void)
{
    size_t count = 0;

    for (unsigned i = 0; i < KILLS; i++) {
        struct blob_store *store;
        struct blob_sweep swept;
        struct ll_error err;
        pid_t client;

        upload_server_start(&server, "0");
        store = upload_server_store(&server);
        fflush(stdout);
        client = fork();
        if (client == 0) {
            if (freopen("/dev/null", "w", stdout) == NULL) _exit(1);
            keep_on_keeping(i);
        }
        usleep(100000 + i * 7919);
        upload_server_kill(&server);
        waitpid(client, NULL, 0);
        check_names(&count);
        OK(blob_store_sweep(store, none_is_referenced, NULL, &swept, &err) == LL_OK);
        OK(upload_server_drafts(&server) == 0 && upload_server_blobs(&server) == 0);
        blob_store_free(store);
        upload_server_stop(&server);
    }
    printf("  %zu blobs over %d kills\n", count, KILLS);
    OK(count > KILLS);
}

int main(void)
{
    RUN(what_a_dead_process_leaves_is_swept);
    RUN(a_kill_leaves_whole_blobs_or_none);
    return t_done();
}
