/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* history.c - a history in memory, and out of JSON lines (promises.h has the format). */
#include "promises.h"

#include "core/base/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { HISTORY_MAXIMUM = 1 << 24 }; /* of anything; far more than a test can wait for */

/* Room for one more behind `n`: the memory doubles at each power of two. */
static void *grow(void *array, size_t n, size_t size)
{
    LL_CHECK(n < HISTORY_MAXIMUM);
    if (n != 0 && (n & (n - 1)) != 0) return array;
    return ll_realloc(array, (n == 0 ? 1 : 2 * n) * size);
}

void history_init(struct history *h)
{
    *h = (struct history){0};
    LL_CHECK(history_name(h, TEXT("")) == 0);
}

void history_fini(struct history *h)
{
    for (size_t i = 0; i < h->name_count; i++) free(h->names[i]);
    free(h->names);
    free(h->slots);
    free(h->commands);
    free(h->events);
    free(h->reads);
    free(h->rows);
    *h = (struct history){0};
}

/* FNV-1a, then linear probing; a slot holds a name's number plus one. */
static uint32_t *slot_of(const struct history *h, struct text name)
{
    uint64_t hash = 14695981039346656037u;
    size_t i;

    for (i = 0; i < name.len; i++) hash = (hash ^ (uint8_t)name.ptr[i]) * 1099511628211u;
    for (i = hash % h->slot_count; h->slots[i] != 0; i = (i + 1) % h->slot_count)
        if (text_is(name, h->names[h->slots[i] - 1])) break;
    return &h->slots[i];
}

static void rehash(struct history *h)
{
    h->slot_count = h->slot_count == 0 ? 64 : 2 * h->slot_count;
    free(h->slots);
    h->slots = ll_calloc(h->slot_count, sizeof(*h->slots));
    for (size_t i = 0; i < h->name_count; i++)
        *slot_of(h, text_of(h->names[i])) = (uint32_t)i + 1;
}

uint32_t history_name(struct history *h, struct text name)
{
    uint32_t *slot;

    if (2 * h->name_count >= h->slot_count) rehash(h);
    slot = slot_of(h, name);
    if (*slot == 0) {
        h->names = grow(h->names, h->name_count, sizeof(*h->names));
        h->names[h->name_count] = ll_calloc(name.len + 1, 1);
        if (name.len > 0) memcpy(h->names[h->name_count], name.ptr, name.len);
        *slot = (uint32_t)++h->name_count;
    }
    return *slot - 1;
}

const char *history_text(const struct history *h, uint32_t name)
{
    LL_CHECK(name < h->name_count);
    return h->names[name];
}

void history_add_command(struct history *h, const struct history_command *c)
{
    h->commands = grow(h->commands, h->command_count, sizeof(*c));
    h->commands[h->command_count++] = *c;
}

void history_add_event(struct history *h, const struct history_event *e)
{
    h->events = grow(h->events, h->event_count, sizeof(*e));
    h->events[h->event_count++] = *e;
}

void history_add_read(struct history *h, const struct history_read *r)
{
    h->reads = grow(h->reads, h->read_count, sizeof(*r));
    h->reads[h->read_count++] = *r;
}

void history_add_row(struct history *h, const struct history_row *r)
{
    h->rows = grow(h->rows, h->row_count, sizeof(*r));
    h->rows[h->row_count++] = *r;
}

uint64_t history_seen(const struct history_position *p, uint32_t partition)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->places[i].partition == partition) return p->places[i].sequence;
    return 0;
}

void history_seal(struct history *h)
{
    size_t *owner = ll_malloc(h->name_count * sizeof(*owner)); /* by name */

    for (size_t i = 0; i < h->name_count; i++) owner[i] = SIZE_MAX;
    for (size_t i = 0; i < h->command_count; i++) {
        owner[h->commands[i].name] = i;
        h->commands[i].events = 0;
    }
    for (size_t i = 0; i < h->event_count; i++) {
        struct history_event *e = &h->events[i];

        e->owner = owner[e->command];
        if (e->owner == SIZE_MAX) continue;
        h->commands[e->owner].last = i;
        if (h->commands[e->owner].events++ == 0) h->commands[e->owner].first = i;
    }
    free(owner);
}

/* ---- JSON lines ---- */

static ll_rc load_name(struct history *h, const json_t *line, const char *member,
                       uint32_t *out, struct ll_error *err)
{
    struct text name;

    if (!json_member_text(line, member, &name) || name.len == 0)
        return ll_fail(err, LL_EINVAL, "\"%s\" is not a name", member);
    *out = history_name(h, name);
    return LL_OK;
}

static ll_rc load_names(struct history *h, const json_t *line, const char *member,
                        uint32_t *out, size_t maximum, size_t *count,
                        struct ll_error *err)
{
    const json_t *list = json_object_get(line, member);

    *count = json_array_size(list);
    if ((list != NULL && !json_is_array(list)) || *count > maximum)
        return ll_fail(err, LL_EINVAL, "\"%s\" is not a list of at most %zu", member,
                       maximum);
    for (size_t i = 0; i < *count; i++) {
        const json_t *name = json_array_get(list, i);

        if (!json_is_string(name))
            return ll_fail(err, LL_EINVAL, "\"%s\" has something that is no name",
                           member);
        out[i] = history_name(h, text_of(json_string_value(name)));
    }
    return LL_OK;
}

static ll_rc load_position(struct history *h, const json_t *line, const char *member,
                           struct history_position *out, struct ll_error *err)
{
    struct text text = {0};
    struct position p;

    out->count = 0;
    if (json_object_get(line, member) == NULL) return LL_OK;
    if (!json_member_text(line, member, &text) ||
        position_parse(&p, text.ptr, text.len) != LL_OK)
        return ll_fail(err, LL_EINVAL, "\"%s\" is not a position", member);
    for (size_t i = 0; i < p.len; i++) {
        char name[POSITION_TOPIC + 12];

        snprintf(name, sizeof(name), "%s/%" PRIu32, p.entry[i].topic,
                 p.entry[i].partition);
        out->places[out->count++] =
            (struct history_place){history_name(h, text_of(name)), p.entry[i].sequence};
    }
    return LL_OK;
}

static ll_rc load_place(struct history *h, const json_t *line, struct history_place *out,
                        struct ll_error *err)
{
    struct history_position p;
    ll_rc rc = load_position(h, line, "at", &p, err);

    if (rc != LL_OK) return rc;
    if (p.count > 1) return ll_fail(err, LL_EINVAL, "\"at\" is more than one place");
    if (p.count == 1) *out = p.places[0];
    return LL_OK;
}

/* A number that is not there is 0. */
static int64_t load_number(const json_t *line, const char *member)
{
    return json_integer_value(json_object_get(line, member));
}

static ll_rc load_answer(const json_t *line, enum history_answer *out,
                         struct ll_error *err)
{
    static const char *const words[] = {"unknown", "accepted", "duplicate", "conflict",
                                        "retry",   "reused",   "invalid",   "closed"};
    struct text word = {0};

    if (json_member_text(line, "answer", &word))
        for (size_t i = 0; i < LL_LENGTH(words); i++)
            if (text_is(word, words[i])) {
                *out = (enum history_answer)i;
                return LL_OK;
            }
    return ll_fail(err, LL_EINVAL, "\"answer\" is not a verdict");
}

static ll_rc load_command(struct history *h, const json_t *line, struct ll_error *err)
{
    struct history_command c = {.time = load_number(line, "time")};
    ll_rc rc = load_name(h, line, "command", &c.name, err);

    if (rc == LL_OK) rc = load_name(h, line, "key", &c.key, err);
    if (rc == LL_OK) rc = load_name(h, line, "body", &c.body, err);
    if (rc == LL_OK)
        rc = load_names(h, line, "guards", c.guards, COMMAND_GUARDS, &c.guard_count, err);
    if (rc == LL_OK) rc = load_position(h, line, "as_of", &c.as_of, err);
    if (rc == LL_OK) rc = load_answer(line, &c.answer, err);
    if (rc == LL_OK) rc = load_place(h, line, &c.at, err);
    if (rc == LL_OK) history_add_command(h, &c);
    return rc;
}

static ll_rc load_event(struct history *h, const json_t *line, struct ll_error *err)
{
    struct history_event e = {.index = (uint32_t)load_number(line, "index"),
                              .size = (uint32_t)load_number(line, "size"),
                              .time = load_number(line, "time")};
    ll_rc rc = load_name(h, line, "event", &e.command, err);

    if (rc == LL_OK)
        rc = load_names(h, line, "tags", e.tags, RECORD_TAGS, &e.tag_count, err);
    if (rc == LL_OK) rc = load_place(h, line, &e.at, err);
    if (rc == LL_OK) history_add_event(h, &e);
    return rc;
}

static ll_rc load_read(struct history *h, const json_t *line, struct ll_error *err)
{
    struct history_read r = {.index = (uint32_t)load_number(line, "index")};
    ll_rc rc = load_name(h, line, "read", &r.reader, err);

    if (rc == LL_OK) rc = load_name(h, line, "event", &r.command, err);
    if (rc == LL_OK) rc = load_place(h, line, &r.at, err);
    if (rc == LL_OK) history_add_read(h, &r);
    return rc;
}

static ll_rc load_line(struct history *h, const json_t *line, struct ll_error *err)
{
    struct history_row row;
    ll_rc rc;

    if (json_object_get(line, "command") != NULL) return load_command(h, line, err);
    if (json_object_get(line, "read") != NULL) return load_read(h, line, err);
    if (json_object_get(line, "event") != NULL) return load_event(h, line, err);
    if (json_object_get(line, "view") != NULL) {
        h->has_view = true;
        return load_position(h, line, "view", &h->view, err);
    }
    rc = load_name(h, line, "row", &row.tag, err);
    row.events = (uint64_t)load_number(line, "events");
    row.sum = (uint64_t)load_number(line, "sum");
    if (rc == LL_OK) history_add_row(h, &row);
    return rc;
}

ll_rc history_load(struct history *h, FILE *in, struct ll_error *err)
{
    char *text = NULL;
    size_t size = 0;
    ssize_t length;
    ll_rc rc = LL_OK;

    for (size_t n = 1; rc == LL_OK && (length = getline(&text, &size, in)) >= 0; n++) {
        struct text t = {text, (size_t)length};
        json_t *line = NULL;

        rc = json_parse(t, 4, &line, err);
        if (rc == LL_OK) rc = load_line(h, line, err);
        if (rc != LL_OK) ll_error_prefix(err, "line %zu", n);
        json_decref(line);
    }
    free(text);
    return rc;
}
