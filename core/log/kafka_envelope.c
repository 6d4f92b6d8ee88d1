/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* kafka_envelope.c - one table of headers, which writing and reading share. */
#include "core/log/kafka_envelope.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char content_type[] = "application/msgpack", fence_type[] = "landlog.fence";

enum header {
    H_SPECVERSION,
    H_ID,
    H_TYPE,
    H_SOURCE,
    H_SUBJECT,
    H_TIME,
    H_SEQUENCE,
    H_CONTENT_TYPE,
    H_EPOCH,
    H_VERSION,
    H_TAGS,
    H_CAUSATION,
    H_CORRELATION,
    H_TRACEPARENT,
    H_COMMAND,
    H_BODY,
    H_INDEX,
    H_SIZE,
    H_LINEAGE,
    H_COUNT
};

/* What each kind must have, and may have. */
enum { NEVER, MAY, MUST };

static const struct {
    struct text name;
    int event, fence;
} table[H_COUNT] = {
    [H_SPECVERSION] = {TEXT("ce_specversion"), MUST, MUST},
    [H_ID] = {TEXT("ce_id"), MUST, MUST},
    [H_TYPE] = {TEXT("ce_type"), MUST, MUST},
    [H_SOURCE] = {TEXT("ce_source"), MUST, MUST},
    [H_SUBJECT] = {TEXT("ce_subject"), MAY, NEVER},
    [H_TIME] = {TEXT("ce_time"), MUST, MUST},
    [H_SEQUENCE] = {TEXT("ce_sequence"), MUST, NEVER},
    [H_CONTENT_TYPE] = {TEXT("content-type"), MUST, NEVER},
    [H_EPOCH] = {TEXT("ce_landlogepoch"), MUST, MUST},
    [H_VERSION] = {TEXT("ce_schemaversion"), MUST, NEVER},
    [H_TAGS] = {TEXT("ce_tags"), MAY, NEVER},
    [H_CAUSATION] = {TEXT("ce_causation"), MAY, NEVER},
    [H_CORRELATION] = {TEXT("ce_correlation"), MAY, NEVER},
    [H_TRACEPARENT] = {TEXT("ce_traceparent"), MAY, NEVER},
    [H_COMMAND] = {TEXT("ce_commandkey"), MUST, NEVER},
    [H_BODY] = {TEXT("ce_bodyhash"), MUST, NEVER},
    [H_INDEX] = {TEXT("ce_commandindex"), MUST, NEVER},
    [H_SIZE] = {TEXT("ce_commandsize"), MUST, NEVER},
    [H_LINEAGE] = {TEXT("ce_landloglineage"), NEVER, MAY},
};

/* ---- writing ---- */

enum { TAGS_TEXT = RECORD_TAGS * (RECORD_TEXT * 3 + 1) };

void kafka_writer_init(struct kafka_writer *w)
{
    *w = (struct kafka_writer){.time = INT64_MIN};
    builder_init(&w->tags, TAGS_TEXT);
}

void kafka_writer_fini(struct kafka_writer *w)
{
    builder_fini(&w->tags);
}

static void put(struct kafka_writer *w, enum header h, struct text value)
{
    LL_CHECK(w->count < KAFKA_OURS);
    w->header[w->count++] = (struct kafka_header){table[h].name, value};
}

static void put_if(struct kafka_writer *w, enum header h, struct text value)
{
    if (value.len > 0) put(w, h, value);
}

static char *scratch(struct kafka_writer *w, size_t n)
{
    char *at = w->scratch + w->used;

    LL_CHECK(w->used + n <= sizeof(w->scratch));
    w->used += n;
    return at;
}

static void put_uuid(struct kafka_writer *w, enum header h, const struct uuid *u)
{
    char *at = scratch(w, UUID_TEXT);

    uuid_print(u, at);
    put(w, h, (struct text){at, UUID_TEXT - 1});
}

static void put_uuid_if(struct kafka_writer *w, enum header h, const struct uuid *u)
{
    if (!uuid_is_nil(u)) put_uuid(w, h, u);
}

static void put_number(struct kafka_writer *w, enum header h, uint64_t n)
{
    char digits[20];
    size_t len = 0;
    char *at;

    do digits[len++] = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    at = scratch(w, len);
    for (size_t i = 0; i < len; i++) at[i] = digits[len - 1 - i];
    put(w, h, (struct text){at, len});
}

static void put_time(struct kafka_writer *w, int64_t time)
{
    if (time != w->time) clock_print(time, w->time_text);
    w->time = time;
    put(w, H_TIME, text_of(w->time_text));
}

static bool is_escaped(unsigned char c)
{
    return c <= ' ' || c == '%' || c == 0x7f;
}

static void put_tags(struct kafka_writer *w, const struct text *tags, size_t n)
{
    builder_reset(&w->tags);
    for (size_t t = 0; t < n; t++) {
        size_t from = 0;

        if (t > 0) builder_char(&w->tags, ' ');
        for (size_t i = 0; i < tags[t].len; i++) {
            if (!is_escaped((unsigned char)tags[t].ptr[i])) continue;
            if (i > from) builder_add(&w->tags, tags[t].ptr + from, i - from);
            builder_printf(&w->tags, "%%%02X", (unsigned char)tags[t].ptr[i]);
            from = i + 1;
        }
        if (tags[t].len > from)
            builder_add(&w->tags, tags[t].ptr + from, tags[t].len - from);
    }
    LL_CHECK(!w->tags.full);
    if (n > 0) put(w, H_TAGS, builder_view(&w->tags));
}

static void begin(struct kafka_writer *w)
{
    w->count = 0;
    w->used = 0;
    put(w, H_SPECVERSION, TEXT("1.0"));
}

void kafka_write_event(struct kafka_writer *w, const struct record *r, uint64_t epoch)
{
    begin(w);
    put_uuid(w, H_ID, &r->id);
    put(w, H_TYPE, r->type);
    put(w, H_SOURCE, r->source);
    put_if(w, H_SUBJECT, r->subject);
    put_time(w, r->time);
    put_number(w, H_SEQUENCE, r->sequence);
    put(w, H_CONTENT_TYPE, text_of(content_type));
    put_number(w, H_EPOCH, epoch);
    put_number(w, H_VERSION, r->version);
    put_tags(w, r->tags, r->tag_count);
    put_uuid_if(w, H_CAUSATION, &r->causation);
    put_uuid_if(w, H_CORRELATION, &r->correlation);
    put_if(w, H_TRACEPARENT, r->traceparent);
    put_uuid(w, H_COMMAND, &r->command);
    put_uuid(w, H_BODY, &r->body);
    put_number(w, H_INDEX, r->command_index);
    put_number(w, H_SIZE, r->command_size);
}

void kafka_write_fence(struct kafka_writer *w, const struct uuid *relay,
                       const struct uuid *lineage, int64_t time, uint64_t epoch)
{
    begin(w);
    put_uuid(w, H_ID, relay);
    put(w, H_TYPE, text_of(fence_type));
    put(w, H_SOURCE, TEXT("/landlog/relay"));
    put_time(w, time);
    put_number(w, H_EPOCH, epoch);
    put_uuid_if(w, H_LINEAGE, lineage);
}

/* ---- reading ---- */

/* The values of one record's headers of ours, and which are there. */
struct found {
    struct text value[H_COUNT];
    bool is_there[H_COUNT];
};

static ll_rc damaged(const char *what, const char *why, struct ll_error *err)
{
    return ll_fail(err, LL_EBROKEN, "newer than this binary, or damaged: %s %s", what,
                   why);
}

static ll_rc bad_header(enum header h, struct ll_error *err)
{
    return damaged(table[h].name.ptr, "is malformed", err);
}

/* Ours by name; H_COUNT for one that is not. They come in the order of the table when
 * we wrote them, so `from`, one past the last found, is most often right. */
static enum header which(struct text name, enum header from)
{
    for (int k = 0; k < H_COUNT; k++) {
        enum header h = (enum header)(((int)from + k) % H_COUNT);

        if (text_equal(name, table[h].name)) return h;
    }
    return H_COUNT;
}

static ll_rc find_headers(const struct kafka_record *k, struct found *f,
                          struct ll_error *err)
{
    enum header next = 0;

    if (k->count > KAFKA_HEADERS)
        return damaged("the record", "has too many headers", err);
    for (size_t i = 0; i < k->count; i++) {
        enum header h = which(k->headers[i].name, next);

        if (h == H_COUNT) continue;
        if (f->is_there[h]) return damaged(table[h].name.ptr, "is there twice", err);
        f->is_there[h] = true;
        f->value[h] = k->headers[i].value;
        next = h + 1 < H_COUNT ? h + 1 : 0;
    }
    return LL_OK;
}

static ll_rc check_presence(const struct found *f, bool is_fence, struct ll_error *err)
{
    for (int h = 0; h < H_COUNT; h++) {
        int rule = is_fence ? table[h].fence : table[h].event;

        if (rule == MUST && !f->is_there[h])
            return damaged(table[h].name.ptr, "is missing", err);
        if (rule == NEVER && f->is_there[h])
            return damaged(table[h].name.ptr,
                           is_fence ? "does not belong to a fence"
                                    : "does not belong to an event",
                           err);
    }
    return LL_OK;
}

static bool take_uuid(struct text t, struct uuid *out)
{
    for (size_t i = 0; i < t.len; i++)
        if (t.ptr[i] >= 'A' && t.ptr[i] <= 'F') return false;
    return uuid_parse(t, out);
}

static bool take_uuid_if(const struct found *f, enum header h, struct uuid *out)
{
    *out = (struct uuid){0};
    if (!f->is_there[h]) return true;
    return take_uuid(f->value[h], out) && !uuid_is_nil(out);
}

static bool take_number(struct text t, uint64_t min, uint64_t max, uint64_t *out)
{
    return text_to_u64(t, max, out) && *out >= min;
}

static bool is_text(struct text t)
{
    return t.len <= RECORD_TEXT && text_is_utf8(t);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decode one tag to `to` (room for its length), or leave it where it is. */
static bool take_tag(struct text raw, char **to, struct text *out)
{
    size_t n = 0;

    *out = raw;
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.ptr[i];

        if (c == '%') {
            int high = i + 2 < raw.len ? hex_value(raw.ptr[i + 1]) : -1;
            int low = i + 2 < raw.len ? hex_value(raw.ptr[i + 2]) : -1;

            if (high < 0 || low < 0) return false;
            c = (char)(high << 4 | low);
            if (!is_escaped((unsigned char)c)) return false;
            i += 2;
        } else if (is_escaped((unsigned char)c)) {
            return false;
        }
        if (*to != NULL) (*to)[n] = c;
        n++;
    }
    if (n < raw.len) {
        out->ptr = *to;
        out->len = n;
        *to += n;
    }
    return is_text(*out);
}

static bool take_tags(struct text all, struct kafka_envelope *e)
{
    struct text raw, rest = all;
    bool more;
    char *to;

    if (all.len > TAGS_TEXT) return false;
    if (all.len > 0 && memchr(all.ptr, '%', all.len) != NULL)
        e->decoded = ll_malloc(all.len);
    to = e->decoded;
    e->record.tags = e->tags;
    do {
        more = text_cut(&rest, ' ', &raw);
        if (e->record.tag_count == RECORD_TAGS) return false;
        if (!take_tag(raw, &to, &e->tags[e->record.tag_count++])) return false;
    } while (more);
    return true;
}

static ll_rc take_texts(const struct found *f, struct kafka_envelope *e,
                        struct ll_error *err)
{
    struct record *r = &e->record;
    const struct {
        enum header h;
        struct text *to;
    } texts[] = {{H_TYPE, &r->type},
                 {H_SOURCE, &r->source},
                 {H_SUBJECT, &r->subject},
                 {H_TRACEPARENT, &r->traceparent}};

    for (size_t i = 0; i < LL_LENGTH(texts); i++) {
        enum header h = texts[i].h;

        if (!is_text(f->value[h])) return bad_header(h, err);
        if (table[h].event == MAY && f->is_there[h] && f->value[h].len == 0)
            return bad_header(h, err);
        *texts[i].to = f->value[h];
    }
    if (f->is_there[H_TAGS] && !take_tags(f->value[H_TAGS], e))
        return bad_header(H_TAGS, err);
    return LL_OK;
}

static ll_rc take_command(const struct found *f, struct record *r, struct ll_error *err)
{
    uint64_t version, index, size;

    if (!take_number(f->value[H_VERSION], 0, INT32_MAX, &version))
        return bad_header(H_VERSION, err);
    if (!take_number(f->value[H_SIZE], 1, COMMAND_EVENTS, &size))
        return bad_header(H_SIZE, err);
    if (!take_number(f->value[H_INDEX], 0, size - 1, &index))
        return bad_header(H_INDEX, err);
    if (!take_uuid(f->value[H_COMMAND], &r->command)) return bad_header(H_COMMAND, err);
    if (!take_uuid(f->value[H_BODY], &r->body)) return bad_header(H_BODY, err);
    if (!take_uuid_if(f, H_CAUSATION, &r->causation)) return bad_header(H_CAUSATION, err);
    if (!take_uuid_if(f, H_CORRELATION, &r->correlation))
        return bad_header(H_CORRELATION, err);
    r->version = (uint32_t)version;
    r->command_index = (uint32_t)index;
    r->command_size = (uint32_t)size;
    return LL_OK;
}

static ll_rc take_event(const struct kafka_record *k, const struct found *f,
                        struct kafka_envelope *e, struct ll_error *err)
{
    struct record *r = &e->record;
    ll_rc rc;

    if (!take_uuid(f->value[H_ID], &r->id)) return bad_header(H_ID, err);
    if (!take_number(f->value[H_SEQUENCE], 1, INT64_MAX, &r->sequence))
        return bad_header(H_SEQUENCE, err);
    if (!text_is(f->value[H_CONTENT_TYPE], content_type))
        return bad_header(H_CONTENT_TYPE, err);
    rc = take_command(f, r, err);
    if (rc == LL_OK) rc = take_texts(f, e, err);
    if (rc != LL_OK) return rc;

    if (!is_text(k->key)) return damaged("the record's key", "is malformed", err);
    if (k->value.len > RECORD_DATA)
        return damaged("the record's value", "is too large", err);
    r->key = k->key;
    r->data = k->value;
    return LL_OK;
}

static ll_rc take_fence(const struct kafka_record *k, const struct found *f,
                        struct kafka_envelope *e, struct ll_error *err)
{
    if (!take_uuid(f->value[H_ID], &e->relay)) return bad_header(H_ID, err);
    if (f->is_there[H_LINEAGE] &&
        (!take_uuid(f->value[H_LINEAGE], &e->lineage) || uuid_is_nil(&e->lineage)))
        return bad_header(H_LINEAGE, err);
    if (!text_is(f->value[H_SOURCE], "/landlog/relay")) return bad_header(H_SOURCE, err);
    if (k->key.len > 0 || k->value.len > 0)
        return damaged("a fence", "has a key or a value", err);
    return LL_OK;
}

bool kafka_record_epoch(const struct kafka_record *k, uint64_t *epoch)
{
    enum header next = 0;

    for (size_t i = 0; i < k->count; i++) {
        enum header h = which(k->headers[i].name, next);

        if (h == H_EPOCH) {
            if (!take_number(k->headers[i].value, 1, INT64_MAX, epoch))
                *epoch = UINT64_MAX;
            return true;
        }
        if (h != H_COUNT) next = h + 1 < H_COUNT ? h + 1 : 0;
    }
    return false;
}

ll_rc kafka_envelope_parse(const struct kafka_record *k, struct kafka_envelope *out,
                           struct ll_error *err)
{
    struct found f = {0};
    ll_rc rc;

    *out = (struct kafka_envelope){.kind = KAFKA_FOREIGN};
    if (!kafka_record_epoch(k, &out->epoch)) return LL_OK;
    if (out->epoch == UINT64_MAX) return bad_header(H_EPOCH, err);

    rc = find_headers(k, &f, err);
    if (rc != LL_OK) return rc;
    out->kind = text_is(f.value[H_TYPE], fence_type) ? KAFKA_FENCE : KAFKA_EVENT;
    rc = check_presence(&f, out->kind == KAFKA_FENCE, err);
    if (rc != LL_OK) return rc;
    if (!text_is(f.value[H_SPECVERSION], "1.0")) return bad_header(H_SPECVERSION, err);
    if (!clock_parse(f.value[H_TIME], &out->record.time) ||
        out->record.time != k->timestamp)
        return bad_header(H_TIME, err);
    rc = out->kind == KAFKA_FENCE ? take_fence(k, &f, out, err)
                                  : take_event(k, &f, out, err);
    if (rc != LL_OK) kafka_envelope_fini(out);
    return rc;
}

void kafka_envelope_fini(struct kafka_envelope *e)
{
    free(e->decoded);
    e->decoded = NULL;
}
