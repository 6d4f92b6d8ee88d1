/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* referee_encode.c - commands as one call of landlog.append() (core/log/referee.sql).
 *
 * Each argument that is an array grows in a builder of its own and becomes one quoted
 * literal at the end: parsing one long literal costs Postgres less than many short ones.
 */
#include "core/log/referee_encode.h"

#include "core/base/clock.h"
#include "core/pg/connect.h"

#include <stdlib.h>
#include <string.h>

/* ---- array literals ---- */

void columns_init(struct columns *c, size_t count)
{
    *c = (struct columns){.count = count};
    LL_CHECK(count <= COLUMNS_MAX);
    for (size_t i = 0; i < count; i++) builder_init(&c->column[i], REFEREE_SQL);
}

void columns_fini(struct columns *c)
{
    for (size_t i = 0; i < c->count; i++) builder_fini(&c->column[i]);
}

static struct builder *next_element(struct columns *c, size_t column)
{
    struct builder *b = &c->column[column];

    builder_char(b, b->len == 0 ? '{' : ',');
    return b;
}

void columns_integer(struct columns *c, size_t column, int64_t value)
{
    builder_i64(next_element(c, column), value);
}

void columns_uuid(struct columns *c, size_t column, const struct uuid *value)
{
    builder_hex(next_element(c, column), value->bytes, sizeof(value->bytes));
}

void columns_uuid_or_null(struct columns *c, size_t column, const struct uuid *value)
{
    if (uuid_is_nil(value))
        builder_string(next_element(c, column), "NULL");
    else
        columns_uuid(c, column, value);
}

/* An array's element in double quotes; `"` and `\` get a backslash. */
static void add_quoted(struct builder *b, struct text value)
{
    size_t from = 0;

    builder_char(b, '"');
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] != '"' && value.ptr[i] != '\\') continue;
        builder_add(b, value.ptr + from, i - from);
        builder_char(b, '\\');
        from = i;
    }
    if (value.len > 0) builder_add(b, value.ptr + from, value.len - from);
    builder_char(b, '"');
}

void columns_text(struct columns *c, size_t column, struct text value)
{
    add_quoted(next_element(c, column), value);
}

void columns_text_or_null(struct columns *c, size_t column, struct text value)
{
    if (value.len == 0)
        builder_string(next_element(c, column), "NULL");
    else
        columns_text(c, column, value);
}

/* An element that is itself an array's text: SQL casts it, row by row. */
static void columns_texts(struct columns *c, size_t column, const struct text *values,
                          size_t n)
{
    struct builder inner;

    if (n == 0) {
        columns_text_or_null(c, column, TEXT(""));
        return;
    }
    builder_init(&inner, REFEREE_SQL);
    for (size_t i = 0; i < n; i++) {
        builder_char(&inner, i == 0 ? '{' : ',');
        add_quoted(&inner, values[i]);
    }
    builder_char(&inner, '}');
    columns_text(c, column, builder_view(&inner));
    builder_fini(&inner);
}

void columns_literals(struct columns *c, struct builder *sql)
{
    for (size_t i = 0; i < c->count; i++) {
        struct builder *b = &c->column[i];

        if (b->len == 0) builder_char(b, '{');
        if (b->ptr[0] == '{') builder_char(b, '}');
        if (b->full) sql->full = true;
        builder_string(sql, ", ");
        pg_literal(sql, builder_view(b));
    }
}

/* ---- partitions named by a call ---- */

void partitions_fini(struct partitions *p)
{
    free(p->entry);
    *p = (struct partitions){0};
}

static bool is_partition(const struct partition_name *e, const char *topic,
                         uint32_t number)
{
    return e->number == number && strcmp(e->topic, topic) == 0;
}

size_t partitions_index(struct partitions *p, const char *topic, uint32_t number)
{
    /* Positions are sorted alike, so the one behind the last found is most often it. */
    for (size_t k = 0; k < p->count; k++) {
        size_t i = (p->last + 1 + k) % p->count;

        if (!is_partition(&p->entry[i], topic, number)) continue;
        p->last = i;
        return i + 1;
    }
    if (p->count == p->room) {
        p->room = p->room ? p->room * 2 : 64;
        p->entry = ll_realloc(p->entry, p->room * sizeof(*p->entry));
    }
    p->entry[p->count] = (struct partition_name){topic, number};
    p->last = p->count++;
    return p->count;
}

void partitions_columns(const struct partitions *p, struct columns *c, size_t topic,
                        size_t number)
{
    for (size_t i = 0; i < p->count; i++) {
        columns_text(c, topic, text_of(p->entry[i].topic));
        columns_integer(c, number, p->entry[i].number);
    }
}

/* ---- events, alike in both calls ---- */

void event_columns(struct columns *c, size_t first, const struct record *r, size_t *end)
{
    struct builder *data = &c->column[first + EVENT_DATA];

    columns_uuid(c, first + EVENT_ID, &r->id);
    columns_text(c, first + EVENT_TYPE, r->type);
    columns_integer(c, first + EVENT_VERSION, r->version);
    columns_text(c, first + EVENT_SOURCE, r->source);
    columns_text(c, first + EVENT_SUBJECT, r->subject);
    columns_text(c, first + EVENT_KEY, r->key);
    columns_texts(c, first + EVENT_TAGS, r->tags, r->tag_count);
    columns_uuid_or_null(c, first + EVENT_CAUSATION, &r->causation);
    columns_uuid_or_null(c, first + EVENT_CORRELATION, &r->correlation);
    columns_text_or_null(c, first + EVENT_TRACEPARENT, r->traceparent);
    *end += r->data.len;
    columns_integer(c, first + EVENT_END, (int64_t)*end);
    if (data->len == 0) builder_string(data, "\\x");
    builder_hex(data, r->data.ptr, r->data.len);
}

/* ---- landlog.append ---- */

/* In the order of the function's arguments. */
enum append_column {
    P_TOPIC,
    P_NUMBER,
    P_EVENTS, /* the one that is no array: a number in a builder */
    V_SEQUENCE,
    C_KEY,
    C_BODY,
    C_POSITION,
    C_PARTITION,
    C_SIZE,
    G_COMMAND,
    G_TAG,
    R_COMMAND,
    R_EARLIER,
    E_COMMAND,
    E_INDEX,
    E_FIRST,
    T_EVENT = E_FIRST + EVENT_COLUMNS,
    T_TAG,
    APPEND_COLUMNS
};

/* A tag that a command writes, as the later commands of the batch must know it. */
struct written_tag {
    struct uuid hash;
    size_t command, event; /* the last of the command's events that has it */
};

struct encoding {
    struct columns c;
    struct partitions partitions;
    const struct append_command *commands;
    size_t n;
    const struct position *positions[APPEND_BATCH]; /* the different ones */
    size_t position_count;
    struct written_tag *written; /* ascending by command */
    size_t written_count, written_room;
    size_t events, data_end;
};

static bool positions_equal(const struct position *a, const struct position *b)
{
    return a == b || (a->len == b->len &&
                      memcmp(a->entry, b->entry, a->len * sizeof(a->entry[0])) == 0);
}

/* Number of the command's position among the different ones, from 1; 0: none. */
static size_t position_number(struct encoding *e, const struct position *p)
{
    if (p == NULL || p->len == 0) return 0;
    for (size_t i = e->position_count; i > 0; i--)
        if (positions_equal(e->positions[i - 1], p)) return i;
    e->positions[e->position_count++] = p;
    return e->position_count;
}

static void add_written(struct encoding *e, size_t command, size_t event,
                        const struct uuid *hash)
{
    for (size_t i = e->written_count; i > 0; i--) {
        struct written_tag *w = &e->written[i - 1];

        if (w->command != command) break;
        if (!uuid_equal(&w->hash, hash)) continue;
        w->event = event;
        return;
    }
    if (e->written_count == e->written_room) {
        e->written_room = e->written_room ? e->written_room * 2 : 64;
        e->written = ll_realloc(e->written, e->written_room * sizeof(*e->written));
    }
    e->written[e->written_count++] = (struct written_tag){*hash, command, event};
}

static void add_event(struct encoding *e, size_t command, size_t index)
{
    const struct record *r = &e->commands[command].events[index];

    LL_CHECK(r->topic == e->commands[command].events[0].topic &&
             r->partition == e->commands[command].events[0].partition);
    columns_integer(&e->c, E_COMMAND, (int64_t)command + 1);
    columns_integer(&e->c, E_INDEX, (int64_t)index);
    event_columns(&e->c, E_FIRST, r, &e->data_end);
    e->events++;
    for (size_t i = 0; i < r->tag_count; i++) {
        struct uuid hash = uuid_hash(r->tags[i]);

        add_written(e, command, e->events, &hash);
    }
}

/* `command` may have to wait for earlier ones of the batch: name each once. The pairs
 * ascend by command, so that the referee knows the earlier one's verdict. */
static void add_rivals(struct encoding *e, size_t command, const struct uuid *guards,
                       size_t n)
{
    bool is_rival[APPEND_BATCH] = {false};

    for (size_t i = 0; i < command; i++)
        is_rival[i] = uuid_equal(&e->commands[i].key, &e->commands[command].key);
    for (size_t i = 0; i < e->written_count && e->written[i].command < command; i++)
        for (size_t g = 0; g < n; g++)
            if (uuid_equal(&e->written[i].hash, &guards[g]))
                is_rival[e->written[i].command] = true;
    for (size_t i = 0; i < command; i++) {
        if (!is_rival[i]) continue;
        columns_integer(&e->c, R_COMMAND, (int64_t)command + 1);
        columns_integer(&e->c, R_EARLIER, (int64_t)i + 1);
    }
}

static void add_command(struct encoding *e, size_t i)
{
    const struct append_command *command = &e->commands[i];
    const struct record *first = &command->events[0];
    struct uuid guards[COMMAND_GUARDS];
    size_t partition;

    LL_CHECK(command->event_count >= 1 && command->event_count <= COMMAND_EVENTS &&
             command->guard_count <= COMMAND_GUARDS);
    partition = partitions_index(&e->partitions, first->topic->name, first->partition);
    columns_uuid(&e->c, C_KEY, &command->key);
    columns_uuid(&e->c, C_BODY, &command->body);
    columns_integer(&e->c, C_POSITION, (int64_t)position_number(e, command->as_of));
    columns_integer(&e->c, C_PARTITION, (int64_t)partition);
    columns_integer(&e->c, C_SIZE, (int64_t)command->event_count);
    for (size_t g = 0; g < command->guard_count; g++) {
        guards[g] = uuid_hash(command->guards[g]);
        columns_integer(&e->c, G_COMMAND, (int64_t)i + 1);
        columns_uuid(&e->c, G_TAG, &guards[g]);
    }
    add_rivals(e, i, guards, command->guard_count);
    for (size_t k = 0; k < command->event_count; k++) add_event(e, i, k);
}

/* One row of `width` sequences for each different position. */
static void add_positions(struct encoding *e)
{
    size_t width;
    uint64_t *row;

    for (size_t i = 0; i < e->position_count; i++)
        for (size_t k = 0; k < e->positions[i]->len; k++)
            partitions_index(&e->partitions, e->positions[i]->entry[k].topic,
                             e->positions[i]->entry[k].partition);
    width = e->partitions.count;
    row = ll_calloc(width, sizeof(*row));
    for (size_t i = 0; i < e->position_count; i++) {
        memset(row, 0, width * sizeof(*row));
        for (size_t k = 0; k < e->positions[i]->len; k++) {
            const struct position_entry *entry = &e->positions[i]->entry[k];

            row[partitions_index(&e->partitions, entry->topic, entry->partition) - 1] =
                entry->sequence;
        }
        for (size_t k = 0; k < width; k++)
            columns_integer(&e->c, V_SEQUENCE,
                            row[k] > INT64_MAX ? INT64_MAX : (int64_t)row[k]);
    }
    free(row);
}

void referee_encode(const char *service, const struct append_command *commands, size_t n,
                    struct builder *sql)
{
    struct encoding e = {.commands = commands, .n = n};
    size_t with_events;

    LL_CHECK(n >= 1 && n <= APPEND_BATCH);
    columns_init(&e.c, APPEND_COLUMNS);
    for (size_t i = 0; i < n; i++) add_command(&e, i);
    with_events = e.partitions.count;
    add_positions(&e);
    partitions_columns(&e.partitions, &e.c, P_TOPIC, P_NUMBER);
    builder_u64(&e.c.column[P_EVENTS], with_events);
    for (size_t i = 0; i < e.written_count; i++) {
        columns_integer(&e.c, T_EVENT, (int64_t)e.written[i].event);
        columns_uuid(&e.c, T_TAG, &e.written[i].hash);
    }

    builder_string(sql, "select verdict, topic, number, sequence, time, guard, store"
                        " from landlog.append(");
    pg_literal(sql, text_of(service));
    builder_printf(sql, ", %lld", (long long)clock_now_ms());
    columns_literals(&e.c, sql);
    builder_char(sql, ')');
    columns_fini(&e.c);
    partitions_fini(&e.partitions);
    free(e.written);
}
