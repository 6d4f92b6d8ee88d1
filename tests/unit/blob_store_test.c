/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* blob_store_test.c - a folder of blobs in a temporary place: kept whole or not at all,
 * found by name only, hidden when denied, swept when nothing refers to it. */
#include "core/blob/blob_store.h"
#include "t.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];

static struct blob_store *open_store_with(const char *grace, const char *reserve)
{
    struct settings *s;
    struct blob_store *store;
    struct ll_error err;

    LL_CHECK(settings_load("/dev/null", &s, &err) == LL_OK);
    LL_CHECK(settings_set(s, TEXT("blobs.folder"), text_of(folder), "test", &err) ==
             LL_OK);
    LL_CHECK(settings_set(s, TEXT("blobs.grace"), text_of(grace), "test", &err) == LL_OK);
    LL_CHECK(settings_set(s, TEXT("blobs.reserve"), text_of(reserve), "test", &err) ==
             LL_OK);
    store = blob_store_new(s);
    settings_free(s);
    return store;
}

static struct blob_store *open_store(const char *grace)
{
    return open_store_with(grace, "0");
}

static void remove_folder(void)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    LL_CHECK(system(command) == 0);
}

/* How many files lie below the folder, locks and lists aside. */
static int count_files(void)
{
    char command[160];
    FILE *out;
    int n = -1;

    snprintf(command, sizeof(command),
             "find '%s' -type f ! -name lock ! -name denylist.txt 2>/dev/null | wc -l",
             folder);
    out = popen(command, "r");
    LL_CHECK(out != NULL && fscanf(out, "%d", &n) == 1);
    pclose(out);
    return n;
}

static bool reads_as(struct blob_store *s, const char *name, struct text wanted)
{
    struct builder out;
    struct ll_error err;
    bool is_same;

    builder_init(&out, 1 << 20);
    is_same = blob_read(s, text_of(name), 1 << 20, &out, &err) == LL_OK &&
              text_equal(builder_view(&out), wanted);
    builder_fini(&out);
    return is_same;
}

static void write_list(const char *content)
{
    char path[96];
    FILE *f;

    snprintf(path, sizeof(path), "%s/denylist.txt", folder);
    f = fopen(path, "w");
    LL_CHECK(f != NULL && fputs(content, f) >= 0 && fclose(f) == 0);
}

static void what_is_put_is_read_by_its_name(void)
{
    struct blob_store *s = open_store("86400");
    struct builder out;
    struct ll_error err;
    struct cids c, again;
    struct blob b;

    OK(blob_put(s, TEXT("hello world"), CID_V1, &c, &err) == LL_OK);
    OK(strcmp(c.v1, "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e") == 0);
    OK(blob_put(s, TEXT("hello world"), CID_V1, &again, &err) == LL_OK);
    OK(count_files() == 1);
    OK(reads_as(s, c.v1, TEXT("hello world")) && blob_exists(s, text_of(c.v1)));
    OK(!blob_exists(s, text_of(c.v0)));
    OK(blob_put(s, TEXT("hello world"), CID_V0, &c, &err) == LL_OK);
    OK(reads_as(s, c.v0, TEXT("hello world")) && count_files() == 2);
    OK(blob_open(s, text_of(c.v1), &b, &err) == LL_OK && b.size == 11 && !b.is_gzip);
    close(b.fd);
    builder_init(&out, 1024);
    OK(blob_read(s, text_of(c.v1), 10, &out, &err) == LL_EFULL && out.len == 0);
    OK(blob_read(s, text_of(c.v1), 11, &out, &err) == LL_OK && out.len == 11);
    builder_fini(&out);
    OK(blob_remove(s, text_of(c.v1), &err) == LL_OK && !blob_exists(s, text_of(c.v1)));
    OK(blob_remove(s, text_of(c.v1), &err) == LL_OK);
    blob_store_free(s);
    remove_folder();
}

static void a_path_finds_nothing(void)
{
    static const char *const names[] = {
        "../../../etc/passwd", "/etc/passwd", "", "drafts", "denylist.txt", "lock"};
    struct blob_store *s = open_store("86400");
    struct ll_error err;
    struct cids c;
    struct blob b;

    OK(blob_put(s, TEXT("x"), CID_V1, &c, &err) == LL_OK);
    write_list("# nothing\n");
    for (size_t i = 0; i < LL_LENGTH(names); i++) {
        OK(blob_open(s, text_of(names[i]), &b, &err) == LL_ENOTFOUND && b.fd == -1);
        OK(!blob_exists(s, text_of(names[i])) && !blob_touch(s, text_of(names[i])));
        OK(blob_remove(s, text_of(names[i]), &err) == LL_OK);
    }
    OK(count_files() == 1);
    blob_store_free(s);
    remove_folder();
}

static void a_draft_that_is_not_kept_leaves_nothing(void)
{
    struct blob_store *s = open_store("86400");
    struct blob_draft *d;
    struct ll_error err;

    OK(blob_draft_new(s, &d, &err) == LL_OK);
    OK(blob_draft_write(d, "abc", 3, &err) == LL_OK && count_files() == 1);
    blob_draft_free(d);
    OK(count_files() == 0);
    OK(blob_draft_new(s, &d, &err) == LL_OK);
    OK(blob_draft_write(d, "abc", 3, &err) == LL_OK && blob_draft_end(d, &err) == LL_OK);
    OK(!blob_exists(s, text_of(blob_draft_cids(d)->v1)));
    blob_draft_free(d);
    OK(count_files() == 0);
    blob_store_free(s);
    remove_folder();
}

static void many_drafts_are_kept_at_once(void)
{
    enum { MANY = 200 };
    struct blob_store *s = open_store("86400");
    struct blob_draft *drafts[MANY];
    struct ll_error err;
    int there = 0;

    for (int i = 0; i < MANY; i++) {
        int value = i / 2; /* each twice */

        LL_CHECK(blob_draft_new(s, &drafts[i], &err) == LL_OK &&
                 blob_draft_write(drafts[i], &value, sizeof(value), &err) == LL_OK &&
                 blob_draft_end(drafts[i], &err) == LL_OK);
    }
    OK(blob_drafts_keep(drafts, MANY, CID_V1, &err) == LL_OK);
    for (int i = 0; i < MANY; i++)
        there += blob_exists(s, text_of(blob_draft_cids(drafts[i])->v1));
    for (int i = 0; i < MANY; i++) blob_draft_free(drafts[i]);
    OK(there == MANY && count_files() == MANY / 2);
    blob_store_free(s);
    remove_folder();
}

static void a_compressed_blob_reads_as_what_was_written(void)
{
    enum { SIZE = 300000 };
    struct blob_store *s = open_store("86400");
    char *bytes = malloc(SIZE), piece[5000];
    struct blob_draft *d;
    struct ll_error err;
    struct cids c;
    struct blob b;
    int fd;

    for (int i = 0; i < SIZE; i++) bytes[i] = (char)('a' + i / 7 % 23);
    OK(blob_draft_new_gzip(s, &d, &err) == LL_OK);
    for (int at = 0; at < SIZE; at += 10000)
        OK(blob_draft_write(d, bytes + at, 10000, &err) == LL_OK);
    OK(blob_draft_end(d, &err) == LL_OK);
    OK(blob_drafts_keep(&d, 1, CID_V1, &err) == LL_OK);
    c = *blob_draft_cids(d);
    blob_draft_free(d);
    OK(reads_as(s, c.v1, (struct text){bytes, SIZE}));
    OK(blob_open(s, text_of(c.v1), &b, &err) == LL_OK && b.is_gzip && b.size == SIZE);
    OK(b.disk_size < SIZE / 10);
    OK(blob_inflate(s, &b, 123456, sizeof(piece), &fd, &err) == LL_OK);
    OK(pread(fd, piece, sizeof(piece), 0) == (ssize_t)sizeof(piece) &&
       memcmp(piece, bytes + 123456, sizeof(piece)) == 0);
    OK(pread(fd, piece, 1, sizeof(piece)) == 0);
    close(fd);
    close(b.fd);
    /* What is there in one form need not come in the other. */
    OK(blob_put(s, (struct text){bytes, SIZE}, CID_V1, &c, &err) == LL_OK);
    OK(count_files() == 1);
    free(bytes);
    blob_store_free(s);
    remove_folder();
}

static void the_denied_are_hidden(void)
{
    struct blob_store *s = open_store("86400");
    struct builder json;
    struct ll_error err;
    struct cids c, other;
    struct blob b;
    char list[256];

    OK(blob_put(s, TEXT("one"), CID_V1, &c, &err) == LL_OK);
    OK(blob_put(s, TEXT("two"), CID_V1, &other, &err) == LL_OK);
    OK(!blob_is_denied(s, text_of(c.v1)));
    snprintf(list, sizeof(list), "# why\n\n  %s # not nice\r\nsome-other-id\n", c.v1);
    write_list(list);
    OK(blob_is_denied(s, text_of(c.v1)) && !blob_exists(s, text_of(c.v1)));
    OK(blob_open(s, text_of(c.v1), &b, &err) == LL_ENOTFOUND);
    OK(!reads_as(s, c.v1, TEXT("one")) && reads_as(s, other.v1, TEXT("two")));
    OK(blob_is_denied(s, TEXT("some-other-id")) && !blob_is_denied(s, TEXT("why")));
    builder_init(&json, 1024);
    OK(blob_read_even_denied(s, text_of(c.v1), 100, &json, &err) == LL_OK);
    OK(text_is(builder_view(&json), "one"));
    builder_reset(&json);
    blob_denied_json(s, &json);
    snprintf(list, sizeof(list), "[\"%s\",\"some-other-id\"]", c.v1);
    OK(text_is(builder_view(&json), list));
    builder_fini(&json);
    write_list("# nobody any more\n");
    OK(reads_as(s, c.v1, TEXT("one")));
    blob_store_free(s);
    remove_folder();
}

static void without_room_nothing_is_taken(void)
{
    struct blob_store *s = open_store("0"), *full = open_store_with("0", "1048576");
    struct blob_draft *d;
    struct ll_error err;
    struct cids c;

    OK(blob_put(s, TEXT("one"), CID_V1, &c, &err) == LL_OK);
    OK(!blob_store_has_room(full)); /* less than a tebibyte is free where this runs */
    OK(blob_draft_new(full, &d, &err) == LL_EFULL && d == NULL);
    OK(blob_put(full, TEXT("two"), CID_V1, &c, &err) == LL_EFULL);
    OK(count_files() == 1);
    blob_store_free(full);
    blob_store_free(s);
    remove_folder();
}

/* ---- sweeping ---- */

struct references {
    const char *name;
    struct blob_store *touches; /* what is asked about becomes young meanwhile */
    size_t asked;
};

static ll_rc is_referenced(void *context, const struct text *names, size_t n,
                           bool *is_referenced_out, struct ll_error *err)
{
    struct references *r = context;

    (void)err;
    for (size_t i = 0; i < n; i++) {
        is_referenced_out[i] = text_is(names[i], r->name);
        if (r->touches != NULL) OK(blob_touch(r->touches, names[i]));
    }
    r->asked += n;
    return LL_OK;
}

static ll_rc fails(void *context, const struct text *names, size_t n, bool *out,
                   struct ll_error *err)
{
    (void)context, (void)names, (void)n, (void)out;
    return ll_fail(err, LL_EDATABASE, "no answer");
}

static void age(const char *seconds)
{
    char command[200];

    snprintf(command, sizeof(command),
             "find '%s' -type f -exec touch -d '%s seconds ago' {} +", folder, seconds);
    LL_CHECK(system(command) == 0);
}

static void the_sweep_removes_what_is_old_and_unreferenced(void)
{
    struct blob_store *s = open_store("100");
    struct references r = {.name = ""};
    struct blob_sweep swept;
    struct ll_error err;
    struct cids kept, gone, young;

    OK(blob_put(s, TEXT("kept"), CID_V1, &kept, &err) == LL_OK);
    OK(blob_put(s, TEXT("gone"), CID_V0, &gone, &err) == LL_OK);
    age("200");
    OK(blob_put(s, TEXT("young"), CID_V1, &young, &err) == LL_OK);
    r.name = kept.v1;
    OK(blob_store_sweep(s, fails, &r, &swept, &err) == LL_EDATABASE);
    OK(swept.removed == 0 && count_files() == 3);
    OK(blob_store_sweep(s, is_referenced, &r, &swept, &err) == LL_OK);
    OK(swept.seen == 3 && swept.removed == 1 && swept.removed_bytes == 4);
    OK(r.asked == 2 && count_files() == 2);
    OK(blob_exists(s, text_of(kept.v1)) && blob_exists(s, text_of(young.v1)));
    blob_store_free(s);
    remove_folder();
}

static void what_becomes_young_meanwhile_stays(void)
{
    struct blob_store *s = open_store("100");
    struct references r = {.name = "", .touches = s};
    struct blob_sweep swept;
    struct ll_error err;
    struct cids c;

    OK(blob_put(s, TEXT("asked for"), CID_V1, &c, &err) == LL_OK);
    age("200");
    OK(blob_store_sweep(s, is_referenced, &r, &swept, &err) == LL_OK);
    OK(r.asked == 1 && swept.removed == 0 && blob_exists(s, text_of(c.v1)));
    age("200");
    OK(blob_put(s, TEXT("asked for"), CID_V1, &c, &err) == LL_OK); /* kept once more */
    r.asked = 0;
    OK(blob_store_sweep(s, is_referenced, &r, &swept, &err) == LL_OK && r.asked == 0);
    OK(count_files() == 1);
    blob_store_free(s);
    remove_folder();
}

/* A process that dies with a draft open. */
static void leave_a_draft(void)
{
    pid_t child = fork();

    if (child == 0) {
        struct blob_draft *d;
        struct ll_error err;

        if (blob_draft_new(open_store("0"), &d, &err) != LL_OK ||
            blob_draft_write(d, "abc", 3, &err) != LL_OK)
            _exit(1);
        _exit(0);
    }
    LL_CHECK(child > 0 && waitpid(child, NULL, 0) == child);
}

static void drafts_of_the_dead_are_swept_those_of_the_living_are_not(void)
{
    struct blob_store *s = open_store("0");
    struct references r = {.name = ""};
    struct blob_sweep swept;
    struct blob_draft *d;
    struct ll_error err;

    leave_a_draft();
    OK(blob_draft_new(s, &d, &err) == LL_OK);
    OK(blob_draft_write(d, "abc", 3, &err) == LL_OK && blob_draft_end(d, &err) == LL_OK);
    OK(count_files() == 2);
    OK(blob_store_sweep(s, is_referenced, &r, &swept, &err) == LL_OK);
    OK(swept.drafts == 1 && count_files() == 1);
    OK(blob_drafts_keep(&d, 1, CID_V1, &err) == LL_OK);
    blob_draft_free(d);
    OK(blob_store_sweep(s, is_referenced, &r, &swept, &err) == LL_OK);
    OK(swept.removed == 1 && count_files() == 0);
    blob_store_free(s);
    remove_folder();
}

int main(void)
{
    snprintf(folder, sizeof(folder), "/tmp/landlog-blobs-XXXXXX");
    LL_CHECK(mkdtemp(folder) != NULL);
    RUN(what_is_put_is_read_by_its_name);
    RUN(a_path_finds_nothing);
    RUN(a_draft_that_is_not_kept_leaves_nothing);
    RUN(many_drafts_are_kept_at_once);
    RUN(a_compressed_blob_reads_as_what_was_written);
    RUN(the_denied_are_hidden);
    RUN(without_room_nothing_is_taken);
    RUN(the_sweep_removes_what_is_old_and_unreferenced);
    RUN(what_becomes_young_meanwhile_stays);
    RUN(drafts_of_the_dead_are_swept_those_of_the_living_are_not);
    remove_folder();
    return t_done();
}
