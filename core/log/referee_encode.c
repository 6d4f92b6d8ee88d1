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

/* ---- topics and partitions named by a call ---- */

void named_fini(struct named *n)
{
    free(n->partitions);
    *n = (struct named){0};
}

size_t named_topic(struct named *n, const char *topic)
{
    for (size_t i = 0; i < n->topic_count; i++)
        if (n->topics[i] == topic || strcmp(n->topics[i], topic) == 0) return i + 1;
    LL_CHECK(n->topic_count < TOPICS_MAX);
    n->topics[n->topic_count++] = topic;
    return n->topic_count;
}

size_t named_partition(struct named *n, const char *topic, uint32_t number)
{
    size_t at = named_topic(n, topic);

    for (size_t i = 0; i < n->count; i++)
        if (n->partitions[i].number == number && n->partitions[i].topic == at)
            return i + 1;
    if (n->count == n->room) {
        n->room = n->room ? n->room * 2 : 16;
        n->partitions = ll_realloc(n->partitions, n->room * sizeof(*n->partitions));
    }
    n->partitions[n->count++] = (struct partition_name){at, number};
    return n->count;
}

void named_columns(const struct named *n, struct columns *c, size_t topics, size_t first)
{
    for (size_t i = 0; i < n->topic_count; i++)
        columns_text(c, topics, text_of(n->topics[i]));
    for (size_t i = 0; i < n->count; i++) {
        columns_integer(c, first + NAMED_TOPIC, (int64_t)n->partitions[i].topic);
        columns_integer(c, first + NAMED_NUMBER, n->partitions[i].number);
    }
}

/* ---- landlog.append ---- */

/* In the order of the function's arguments. */
enum append_column {
    N_TOPIC,
    N_PLACE,
    N_PLACES,
    P_FIRST,
    V_SEQUENCE = P_FIRST + NAMED_COLUMNS,
    V_WIDTH, /* the one that is no array: a number in a builder */
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
    E_ID,
    E_TYPE,
    E_VERSION,
    E_SOURCE,
    E_SUBJECT,
    E_KEY,
    E_TAGS,
    E_CAUSATION,
    E_CORRELATION,
    E_TRACEPARENT,
    E_END,
    A_DATA, /* one bytea: the data of all events, one behind the other */
    T_EVENT,
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
    struct named named;
    const struct append_command *commands;
    size_t n;
    const struct position *positions[APPEND_BATCH]; /* the different ones */
    size_t position_count;
    struct written_tag *written; /* ascending by command */
    size_t written_count, written_room;
    size_t events, data_end;
    struct uuid guards[COMMAND_GUARDS]; /* hashes of the command at hand */
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

static void add_data(struct encoding *e, struct text data)
{
    struct builder *all = &e->c.column[A_DATA];

    e->data_end += data.len;
    columns_integer(&e->c, E_END, (int64_t)e->data_end);
    if (all->len == 0) builder_string(all, "\\x");
    builder_hex(all, data.ptr, data.len);
}

/* Most tags that a command writes are among those it guards, hashed already. */
static struct uuid tag_hash(const struct encoding *e, const struct append_command *c,
                            struct text tag)
{
    for (size_t i = 0; i < c->guard_count; i++)
        if (text_equal(c->guards[i], tag)) return e->guards[i];
    return uuid_hash(tag);
}

static void add_event(struct encoding *e, size_t command, size_t index)
{
    const struct record *r = &e->commands[command].events[index];

    LL_CHECK(r->topic == e->commands[command].events[0].topic &&
             r->partition == e->commands[command].events[0].partition);
    columns_integer(&e->c, E_COMMAND, (int64_t)command + 1);
    columns_integer(&e->c, E_INDEX, (int64_t)index);
    columns_uuid(&e->c, E_ID, &r->id);
    columns_text(&e->c, E_TYPE, r->type);
    columns_integer(&e->c, E_VERSION, r->version);
    columns_text(&e->c, E_SOURCE, r->source);
    columns_text(&e->c, E_SUBJECT, r->subject);
    columns_text(&e->c, E_KEY, r->key);
    columns_texts(&e->c, E_TAGS, r->tags, r->tag_count);
    columns_uuid_or_null(&e->c, E_CAUSATION, &r->causation);
    columns_uuid_or_null(&e->c, E_CORRELATION, &r->correlation);
    columns_text_or_null(&e->c, E_TRACEPARENT, r->traceparent);
    add_data(e, r->data);
    e->events++;
    for (size_t i = 0; i < r->tag_count; i++) {
        struct uuid hash = tag_hash(e, &e->commands[command], r->tags[i]);

        add_written(e, command, e->events, &hash);
    }
}

/* `command` may have to wait for earlier ones of the batch: name each once. The pairs
 * ascend by command, so that the referee knows the earlier one's verdict. */
static void add_rivals(struct encoding *e, size_t command)
{
    size_t n = e->commands[command].guard_count;
    bool is_rival[APPEND_BATCH] = {false};

    for (size_t i = 0; i < command; i++)
        is_rival[i] = uuid_equal(&e->commands[i].key, &e->commands[command].key);
    for (size_t i = 0; i < e->written_count && e->written[i].command < command; i++)
        for (size_t g = 0; g < n; g++)
            if (uuid_equal(&e->written[i].hash, &e->guards[g]))
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
    size_t partition;

    LL_CHECK(command->event_count >= 1 && command->event_count <= COMMAND_EVENTS &&
             command->guard_count <= COMMAND_GUARDS);
    partition = named_partition(&e->named, first->topic->name, first->partition);
    columns_uuid(&e->c, C_KEY, &command->key);
    columns_uuid(&e->c, C_BODY, &command->body);
    columns_integer(&e->c, C_POSITION, (int64_t)position_number(e, command->as_of));
    columns_integer(&e->c, C_PARTITION, (int64_t)partition);
    columns_integer(&e->c, C_SIZE, (int64_t)command->event_count);
    for (size_t g = 0; g < command->guard_count; g++) {
        e->guards[g] = uuid_hash(command->guards[g]);
        columns_integer(&e->c, G_COMMAND, (int64_t)i + 1);
        columns_uuid(&e->c, G_TAG, &e->guards[g]);
    }
    add_rivals(e, i);
    for (size_t k = 0; k < command->event_count; k++) add_event(e, i, k);
}

/* Where the partitions of each topic are in a position's row. A topic's name in one
 * position is often the very same as in the next. */
struct places {
    size_t first[TOPICS_MAX], count[TOPICS_MAX], width;
};

static void find_places(struct encoding *e, struct places *p)
{
    *p = (struct places){0};
    for (size_t i = 0; i < e->position_count; i++)
        for (size_t k = 0; k < e->positions[i]->len; k++) {
            const struct position_entry *entry = &e->positions[i]->entry[k];
            size_t topic;

            if (entry->partition >= TOPIC_PARTITIONS_MAX) continue; /* there is none */
            topic = named_topic(&e->named, entry->topic) - 1;
            if (p->count[topic] <= entry->partition)
                p->count[topic] = entry->partition + 1;
        }
    for (size_t i = 0; i < e->named.topic_count; i++) {
        p->first[i] = p->width;
        p->width += p->count[i];
        columns_integer(&e->c, N_PLACE, (int64_t)p->first[i] + 1);
        columns_integer(&e->c, N_PLACES, (int64_t)p->count[i]);
    }
}

/* One row of `width` sequences for each different position. */
static void add_positions(struct encoding *e)
{
    struct places p;
    uint64_t *row;

    find_places(e, &p);
    row = ll_calloc(p.width, sizeof(*row));
    for (size_t i = 0; i < e->position_count; i++) {
        memset(row, 0, p.width * sizeof(*row));
        for (size_t k = 0; k < e->positions[i]->len; k++) {
            const struct position_entry *entry = &e->positions[i]->entry[k];

            if (entry->partition >= TOPIC_PARTITIONS_MAX) continue;
            row[p.first[named_topic(&e->named, entry->topic) - 1] + entry->partition] =
                entry->sequence;
        }
        for (size_t k = 0; k < p.width; k++)
            columns_integer(&e->c, V_SEQUENCE,
                            row[k] > INT64_MAX ? INT64_MAX : (int64_t)row[k]);
    }
    builder_u64(&e->c.column[V_WIDTH], p.width);
    free(row);
}

void referee_encode(const char *service, const struct append_command *commands, size_t n,
                    struct builder *sql)
{
    struct encoding e = {.commands = commands, .n = n};

    LL_CHECK(n >= 1 && n <= APPEND_BATCH);
    columns_init(&e.c, APPEND_COLUMNS);
    for (size_t i = 0; i < n; i++) add_command(&e, i);
    add_positions(&e);
    named_columns(&e.named, &e.c, N_TOPIC, P_FIRST);
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
    named_fini(&e.named);
    free(e.written);
}
