/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* file_bench.c - content files going out and coming in: GET of a file of 1 MiB against
 * bare evhttp and sendfile; a scene of 200 MiB uploaded, and how much the worker grows.
 *
 * The least that an upload can be: the same bytes hashed (both names, as the contract
 * wants them), written and synced in one pass. */
#include "client.h"
#include "core/base/clock.h"
#include "core/blob/blob_store.h"
#include "deployer.h"
#include "figure.h"
#include "file_baseline.h"
#include "free_port.h"
#include "http_load.h"
#include "world.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MIB = 1024 * 1024,
    SECONDS = 3,
    ROUNDS = 3,
    FILES = 4,
    FILE_MIB = 50,
    PARCELS = 16, /* 15 MiB each: enough for 200 */
};

/* Bytes that no two calls share. */
static char *random_bytes(size_t n)
{
    static uint64_t state = 88172645463325252u;
    uint64_t *words = ll_malloc(n);

    for (size_t i = 0; i < n / sizeof(*words); i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        words[i] = state;
    }
    return (char *)words;
}

/* ---- a file goes out ---- */

static double fetch(int port, const char *path, double *p99)
{
    struct http_load load = {.port = port, .connections = 8, .seconds = SECONDS};
    struct http_load_result result;
    struct text request;
    struct ll_error err;
    char bytes[256];
    int n = snprintf(bytes, sizeof(bytes), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n",
                     path);

    request = (struct text){bytes, (size_t)n};
    load.requests = &request;
    load.request_count = 1;
    if (http_load_run(&load, &result, &err) != LL_OK) world_fail("%s", err.text);
    if (result.refused > 0) world_fail("an answer other than 200 for %s", path);
    *p99 = result.p99_us / 1000;
    return result.per_second; /* a MiB each */
}

/* A content file, as a deployment would have left it. */
static void put_blob(const struct world *w, struct text bytes, struct cids *cids)
{
    struct settings *settings;
    struct blob_store *store;
    struct ll_error err;

    if (settings_load(w->config, &settings, &err) != LL_OK) world_fail("%s", err.text);
    store = blob_store_new(settings);
    if (blob_put(store, bytes, CID_V1, cids, &err) != LL_OK) world_fail("%s", err.text);
    blob_store_free(store);
    settings_free(settings);
}

static pid_t start_baseline(int port, const char *path)
{
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid != 0) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    file_baseline_serve(port, path);
}

static void downloads(const struct world *w)
{
    char *bytes = random_bytes(MIB), path[700], url[128];
    struct text file = {bytes, MIB};
    struct cids cids;
    double ours = 0, bare = 0, p99 = 0;
    int port = free_port();
    pid_t pid;
    FILE *f;

    snprintf(path, sizeof(path), "%s/file", w->folder);
    f = fopen(path, "we");
    if (f == NULL || fwrite(bytes, 1, MIB, f) != MIB || fclose(f) != 0)
        world_fail("cannot write %s", path);
    put_blob(w, file, &cids);
    snprintf(url, sizeof(url), "/content/contents/%s", cids.v1);
    pid = start_baseline(port, path);
    sleep(1);
    for (int i = 0; i < ROUNDS; i++) { /* in turn */
        double its_p99,
            rate = fetch((int)strtol(strrchr(w->url, ':') + 1, NULL, 10), url, &its_p99),
            plain;

        if (rate > ours) ours = rate, p99 = its_p99;
        plain = fetch(port, "/", &its_p99);
        if (plain > bare) bare = plain;
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    free(bytes);
    figure_ratio("GET of a content file of 1 MiB, against evhttp and sendfile", ours,
                 "MiB/s", bare, 0.7);
    figure_value("GET of a content file of 1 MiB, 8 connections, p99", p99, "ms");
}

/* ---- a scene comes in ---- */

static void add_file(struct deployable *d, size_t i)
{
    struct deployer_part *part = &d->parts[d->part_count++];
    size_t n = (size_t)FILE_MIB * MIB;
    struct cids cids;

    part->bytes = (struct text){random_bytes(n), n};
    cids_of(part->bytes, &cids);
    memcpy(part->hash, cids.v1, sizeof(part->hash));
    snprintf(part->file, sizeof(part->file), "models/%zu.glb", i);
}

static void write_parcels(struct builder *b)
{
    for (int i = 0; i < PARCELS; i++)
        builder_printf(b, "%s\"%d,7\"", i == 0 ? "[" : ",", i);
    builder_char(b, ']');
}

static void make_scene(struct deployable *d, const struct person *who)
{
    struct deployable files = {0};
    struct builder b;

    for (size_t i = 0; i < FILES; i++) add_file(&files, i);
    builder_init(&b, 64 * 1024);
    builder_string(&b, "{\"version\":\"v3\",\"type\":\"scene\",\"pointers\":");
    write_parcels(&b);
    builder_printf(&b, ",\"timestamp\":%lld,\"content\":[", (long long)clock_now_ms());
    for (size_t i = 0; i < FILES; i++)
        builder_printf(&b, "%s{\"file\":\"%s\",\"hash\":\"%s\"}", i == 0 ? "" : ",",
                       files.parts[i].file, files.parts[i].hash);
    builder_string(&b, "],\"metadata\":{\"main\":\"models/0.glb\",\"scene\":{\"base\":"
                       "\"0,7\",\"parcels\":");
    write_parcels(&b);
    builder_string(&b, "}}}");
    deployable_of(d, who, builder_view(&b));
    memcpy(d->parts, files.parts, sizeof(d->parts));
    d->part_count = FILES;
    builder_fini(&b);
}

/* A line of /proc/<pid>/status, in MiB. */
static double memory_of(pid_t pid, const char *line)
{
    char path[64], text[256];
    double kib = 0;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    if ((f = fopen(path, "re")) == NULL) world_fail("the worker is gone");
    while (fgets(text, sizeof(text), f) != NULL)
        if (strncmp(text, line, strlen(line)) == 0)
            kib = strtod(text + strlen(line), NULL);
    fclose(f);
    return kib / 1024;
}

/* The peak begins anew. */
static void forget_peak(pid_t pid)
{
    char path[64];
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/clear_refs", pid);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "5", 1) != 1) world_fail("cannot write %s", path);
    close(fd);
}

/* Seconds to hash, write and sync the same bytes. */
static double plain_upload(const struct world *w, const struct deployable *d)
{
    struct cid_hasher *hasher = cid_hasher_new();
    int64_t start = clock_monotonic_us();
    char path[700];

    snprintf(path, sizeof(path), "%s/plain", w->folder);
    for (size_t i = 0; i < d->part_count; i++) {
        struct text rest = d->parts[i].bytes;
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        struct cids cids;

        while (rest.len > 0) {
            size_t n = rest.len < 65536 ? rest.len : 65536;

            cid_hasher_add(hasher, rest.ptr, n);
            if (write(fd, rest.ptr, n) != (ssize_t)n) world_fail("cannot write %s", path);
            rest = (struct text){rest.ptr + n, rest.len - n};
        }
        cid_hasher_finish(hasher, &cids);
        if (fsync(fd) != 0 || close(fd) != 0) world_fail("cannot write %s", path);
    }
    cid_hasher_free(hasher);
    unlink(path);
    return (double)(clock_monotonic_us() - start) / 1e6;
}

static void upload(const struct world *w)
{
    pid_t worker = world_part(w, "serve");
    struct deployable d;
    struct client client;
    struct person who;
    double before, seconds, plain;
    int64_t start;

    client_init(&client, w->url);
    person_new(&who);
    make_scene(&d, &who);
    forget_peak(worker);
    before = memory_of(worker, "VmRSS:");
    start = clock_monotonic_us();
    if (deployable_send(&client, &d) != 200)
        world_fail("the scene was refused: %s", builder_view(&client.body).ptr);
    seconds = (double)(clock_monotonic_us() - start) / 1e6;
    figure_below("upload of a scene of 200 MiB: the worker grows by",
                 memory_of(worker, "VmHWM:") - before, "MiB", 32);
    plain = plain_upload(w, &d);
    figure_ratio("upload of a scene of 200 MiB, against hash, write and sync",
                 FILES * FILE_MIB / seconds, "MiB/s", FILES * FILE_MIB / plain, 0.5);
    deployable_fini(&d);
    client_fini(&client);
}

/* With one worker, `landlog serve` is it. */
static bool start(struct world *w)
{
    FILE *f;

    if (!world_prepare(w, "bench_file", false)) return false;
    f = fopen(w->config, "ae");
    if (f == NULL) world_fail("cannot write %s", w->config);
    fprintf(f, "http.workers = 1\n");
    fclose(f);
    world_up(w);
    return true;
}

int main(void)
{
    struct world w;

    if (!start(&w)) return 77;
    downloads(&w);
    upload(&w);
    world_stop(&w);
    return 0;
}
