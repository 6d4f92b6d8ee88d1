/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* projection_blob_test.c - `:blob.<member>` is the text of the blob that an event names,
 * and null where there is none to be had; a deny-list changes nothing. */
#include "folded.h"

#include "core/base/clock.h"
#include "core/pg/connect.h"
#include "core/projection/apply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EVENTS = 6, BLOB_MOST = 1024 * 1024 };

static const char apply[] =
    "-- on test.counted\n"
    "insert into tally (key, events, total, last_id, last_at, note)\n"
    "values (:key, 1, :n, :event.id, :event.time, :blob.note);\n"
    "update tally set parts = :blob.note::jsonb where key = :key and key = 'k0';\n";

struct blob_test {
    struct folded f;
    struct projection *projection;
    struct generation g;
    struct blob_store *blobs;
    char folder[64];
};

static void must(ll_rc rc, const struct ll_error *err)
{
    if (rc != LL_OK) suite_die("%s", err->text);
}

static struct blob_store *open_blobs(struct blob_test *t)
{
    struct settings *s;
    struct blob_store *store;
    struct ll_error err;

    snprintf(t->folder, sizeof(t->folder), "/tmp/landlog-read-XXXXXX");
    if (mkdtemp(t->folder) == NULL) suite_die("no temporary folder");
    must(settings_load("/dev/null", &s, &err), &err);
    must(settings_set(s, TEXT("blobs.folder"), text_of(t->folder), "test", &err), &err);
    must(settings_set(s, TEXT("blobs.reserve"), TEXT("0"), "test", &err), &err);
    store = blob_store_new(s);
    settings_free(s);
    return store;
}

/* The i-th event: key "k<i>", and a note. */
static void make_event(struct blob_test *t, int i, const char *note, struct arena *arena,
                       struct record *out)
{
    char key[16];
    struct ll_error err;
    json_t *data;

    snprintf(key, sizeof(key), "k%d", i);
    data = json_pack("{s:s, s:i, s:s*}", "key", key, "n", i, "note", note);
    *out = (struct record){.id = uuid_v7(clock_now_ms()), .source = TEXT("conformance")};
    must(event_make(t->f.registry, TEXT("test.counted"), data, arena, out, &err), &err);
    out->partition = 0;
    out->sequence = (uint64_t)i + 1;
    json_decref(data);
}

static void deny(struct blob_test *t, const char *id)
{
    char path[96];
    FILE *f;

    snprintf(path, sizeof(path), "%s/denylist.txt", t->folder);
    f = fopen(path, "w");
    if (f == NULL || fprintf(f, "%s\n", id) < 0 || fclose(f) != 0)
        suite_die("cannot write %s", path);
}

/* What the events name, in order. */
static void put_blobs(struct blob_test *t, struct cids c[4])
{
    char *large = malloc(BLOB_MOST + 1);
    struct ll_error err;

    memset(large, 'x', BLOB_MOST + 1);
    must(blob_put(t->blobs, TEXT("{\"a\": [1, 2]}"), CID_V1, &c[0], &err), &err);
    must(blob_put(t->blobs, TEXT("not\xff utf-8"), CID_V1, &c[1], &err), &err);
    must(blob_put(t->blobs, (struct text){large, BLOB_MOST}, CID_V1, &c[2], &err), &err);
    must(blob_put(t->blobs, (struct text){large, BLOB_MOST + 1}, CID_V1, &c[3], &err),
         &err);
    deny(t, c[0].v1);
    free(large);
}

static ll_rc fly(struct blob_test *t, const struct record *records, size_t n,
                 struct ll_error *err)
{
    struct apply_move move = {.topic = records[0].topic,
                              .epoch = 5,
                              .is = records[n - 1].sequence,
                              .id = records[n - 1].id};
    struct applier *a;
    ll_rc rc = applier_open(t->f.log.conninfo, t->projection, &t->g, &a, err);

    if (rc != LL_OK) return rc;
    rc = applier_send(a, records, n, &move, 1, err);
    if (rc == LL_OK) rc = applier_wait(a, 5000, err);
    applier_close(a);
    return rc;
}

static bool says(struct blob_test *t, const char *sql, const char *expected)
{
    char *is = folded_ask(&t->f, &t->g, sql);
    bool same = strcmp(is, expected) == 0;

    if (!same) printf("is %.100s, not %s\n", is, expected);
    free(is);
    return same;
}

static void open_test(struct blob_test *t, struct suite *s)
{
    struct ll_error err;
    char sql[160];

    *t = (struct blob_test){0};
    folded_open(&t->f, s, NULL);
    t->projection = folded_projection(&t->f, apply);
    t->blobs = open_blobs(t);
    must(generation_create(t->f.connection, t->projection, GENERATION_PROJECT, &t->g,
                           &err),
         &err);
    snprintf(sql, sizeof(sql), "update %s.checkpoint set epoch = 5", t->g.schema);
    must(pg_script(t->f.connection, sql, &err), &err);
}

static void close_test(struct blob_test *t)
{
    char command[128];

    blob_store_free(t->blobs);
    projection_free(t->projection);
    folded_close(&t->f);
    snprintf(command, sizeof(command), "rm -rf '%s'", t->folder);
    if (system(command) != 0) printf("  %s stays\n", t->folder);
}

static void an_event_brings_the_text_of_its_blob(struct suite *s)
{
    struct record records[EVENTS];
    struct blob_test t;
    struct arena arena;
    struct ll_error err;
    struct cids c[4];

    open_test(&t, s);
    arena_init(&arena, 1024 * 1024);
    put_blobs(&t, c);
    for (int i = 0; i < 4; i++) make_event(&t, i, c[i].v1, &arena, &records[i]);
    make_event(&t, 4, "../../etc/passwd", &arena, &records[4]);
    make_event(&t, 5, NULL, &arena, &records[5]);
    OK(fly(&t, records, EVENTS, &err) == LL_EINVAL); /* no store was given */
    projection_use_blobs(t.projection, t.blobs);
    OK(fly(&t, records, EVENTS, &err) == LL_OK);
    OK(says(&t, "select note from %s.tally where key = 'k0'", "{\"a\": [1, 2]}"));
    OK(says(&t, "select parts->'a'->>1 from %s.tally where key = 'k0'", "2"));
    OK(says(&t, "select length(note) from %s.tally where key = 'k2'", "1048576"));
    OK(says(&t,
            "select string_agg(key, ' ' order by key) from %s.tally where note is null",
            "k1 k3 k4 k5"));
    arena_fini(&arena);
    close_test(&t);
}

int main(void)
{
    static const struct testlog_kind postgres = {.name = "postgres"};
    struct suite suite = {.kind = &postgres}, *s = &suite;

    if (getenv("LANDLOG_TEST_POSTGRES") == NULL) {
        printf("skipped: LANDLOG_TEST_POSTGRES is not set\n");
        return 77;
    }
    RUN(an_event_brings_the_text_of_its_blob);
    printf("%lu checks, %lu failed\n", s->checks, s->failed);
    return s->failed > 0 || s->checks == 0;
}
