/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* json_js.c - one walk over the text that writes as it goes; what an object's members
 * were written as is moved about when the object ends, if they are out of order. */
#include "core/base/json_js.h"

#include "core/base/json_js_private.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST_PLAIN_INTEGER = 15 }; /* digits: exact as a double, written as they are */

struct run {
    struct text text;
    size_t at;
    unsigned depth;
    struct builder *out;
    const char *problem;
    struct json_js_member *members; /* of all objects that are open, the innermost last */
    size_t member_count, member_capacity;
    struct builder scratch;
    const struct json_js_picks *picks; /* of the root's members; NULL: all */
    struct text wanted; /* the root's member whose raw text is asked for; as written */
    struct text found;
};

static bool refuse(struct run *run, const char *problem)
{
    if (run->problem == NULL) run->problem = problem;
    return false;
}

static int peek(const struct run *run)
{
    return run->at < run->text.len ? (unsigned char)run->text.ptr[run->at] : -1;
}

static void skip_space(struct run *run)
{
    for (int c = peek(run); c == ' ' || c == '\t' || c == '\n' || c == '\r';
         c = peek(run))
        run->at++;
}

static bool write_string(struct run *run)
{
    size_t used = json_js_string(run->text, run->at, run->out);

    if (used == 0) return refuse(run, "a malformed string");
    run->at += used;
    return true;
}

static size_t digits_at(const struct run *run, size_t at)
{
    size_t n = 0;

    while (at + n < run->text.len && run->text.ptr[at + n] >= '0' &&
           run->text.ptr[at + n] <= '9')
        n++;
    return n;
}

/* The length of the number at run->at, 0 when it is none; `plain` when it is an integer
 * that is written as it stands. */
static size_t number_length(const struct run *run, bool *plain)
{
    size_t at = run->at, digits;
    const char *s = run->text.ptr;

    if (s[at] == '-') at++;
    digits = digits_at(run, at);
    if (digits == 0 || (digits > 1 && s[at] == '0')) return 0;
    *plain = digits <= LONGEST_PLAIN_INTEGER && !(s[at] == '0' && s[run->at] == '-');
    at += digits;
    if (at < run->text.len && s[at] == '.') {
        *plain = false;
        digits = digits_at(run, at + 1);
        if (digits == 0) return 0;
        at += 1 + digits;
    }
    if (at < run->text.len && (s[at] == 'e' || s[at] == 'E')) {
        *plain = false;
        at++;
        if (at < run->text.len && (s[at] == '+' || s[at] == '-')) at++;
        digits = digits_at(run, at);
        if (digits == 0) return 0;
        at += digits;
    }
    return at - run->at;
}

static bool write_number(struct run *run)
{
    bool plain = false;
    size_t n = number_length(run, &plain);
    const char *s = run->text.ptr + run->at;
    char *copy;

    if (n == 0) return refuse(run, "a malformed number");
    run->at += n;
    if (plain || run->wanted.len > 0) {
        builder_add(run->out, s, n);
        return true;
    }
    copy = ll_malloc(n + 1); /* strtod wants an end */
    memcpy(copy, s, n);
    copy[n] = '\0';
    json_js_number(strtod(copy, NULL), run->out);
    free(copy);
    return true;
}

static bool write_word(struct run *run, const char *word)
{
    size_t n = strlen(word);

    if (run->text.len - run->at < n || memcmp(run->text.ptr + run->at, word, n) != 0)
        return refuse(run, "an unknown word");
    run->at += n;
    builder_add(run->out, word, n);
    return true;
}

static struct text key_of(const struct run *run, const struct json_js_member *m)
{
    return (struct text){run->out->ptr + m->key_at, m->key_len};
}

static void find_wanted(struct run *run, const struct json_js_member *m, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text_equal(key_of(run, &m[i]), run->wanted))
            run->found = (struct text){run->text.ptr + m[i].raw_at, m[i].raw_len};
}

/* Write the object that begins at `start` of out anew from its members. */
static void rewrite(struct run *run, const struct json_js_member *m, size_t n,
                    size_t start)
{
    builder_reset(&run->scratch);
    builder_char(&run->scratch, '{');
    for (size_t i = 0; i < n; i++) {
        if (i > 0) builder_char(&run->scratch, ',');
        builder_text(&run->scratch, key_of(run, &m[i]));
        builder_char(&run->scratch, ':');
        builder_add(&run->scratch, run->out->ptr + m[i].value_at, m[i].value_len);
    }
    builder_char(&run->scratch, '}');
    run->out->len = start;
    builder_text(run->out, builder_view(&run->scratch));
}

static void end_object(struct run *run, size_t base, size_t start)
{
    size_t n = run->member_count - base;
    struct json_js_member *m;
    bool as_written;

    run->member_count = base;
    if (run->out->full || n == 0) return;
    m = run->members + base;
    if (run->depth == 1 && run->wanted.len > 0) find_wanted(run, m, n);
    if (run->wanted.len > 0) return; /* nobody reads what is written */
    n = json_js_arrange(run->out->ptr, run->depth == 1 ? run->picks : NULL, m, n,
                        &as_written);
    if (!as_written) rewrite(run, m, n, start);
}

static struct json_js_member *new_member(struct run *run)
{
    if (run->member_count == run->member_capacity) {
        run->member_capacity = run->member_capacity == 0 ? 64 : run->member_capacity * 2;
        run->members =
            ll_realloc(run->members, run->member_capacity * sizeof(*run->members));
    }
    return &run->members[run->member_count++];
}

static bool write_value(struct run *run);

/* `"key" : value`, remembered with its places. */
static bool write_member(struct run *run, size_t base)
{
    struct json_js_member m = {.key_at = run->out->len,
                               .order = run->member_count - base};

    if (peek(run) != '"') return refuse(run, "a member without a name");
    if (!write_string(run)) return false;
    m.key_len = run->out->len - m.key_at;
    m.index = run->out->full ? UINT64_MAX : json_js_index(key_of(run, &m));
    skip_space(run);
    if (peek(run) != ':') return refuse(run, "a member without a colon");
    run->at++;
    builder_char(run->out, ':');
    skip_space(run);
    m.value_at = run->out->len;
    m.raw_at = run->at;
    if (!write_value(run)) return false;
    m.value_len = run->out->len - m.value_at;
    m.raw_len = run->at - m.raw_at;
    *new_member(run) = m;
    return true;
}

/* What follows an element: a comma and more (true), or the end `close`. */
static bool goes_on(struct run *run, char close, bool *ended)
{
    skip_space(run);
    *ended = peek(run) == close;
    if (!*ended && peek(run) != ',') return refuse(run, "a missing comma");
    builder_char(run->out, (char)peek(run));
    run->at++;
    if (!*ended) skip_space(run);
    return true;
}

static bool write_object(struct run *run)
{
    size_t base = run->member_count, start = run->out->len;
    bool ended;

    builder_char(run->out, '{');
    run->at++;
    skip_space(run);
    ended = peek(run) == '}';
    if (ended) {
        builder_char(run->out, '}');
        run->at++;
    }
    while (!ended)
        if (!write_member(run, base) || !goes_on(run, '}', &ended)) return false;
    end_object(run, base, start);
    return true;
}

static bool write_array(struct run *run)
{
    bool ended;

    builder_char(run->out, '[');
    run->at++;
    skip_space(run);
    ended = peek(run) == ']';
    if (ended) {
        builder_char(run->out, ']');
        run->at++;
    }
    while (!ended)
        if (!write_value(run) || !goes_on(run, ']', &ended)) return false;
    return true;
}

static bool write_nested(struct run *run)
{
    bool ok;

    if (run->depth == JSON_JS_DEPTH) return refuse(run, "too deep a nesting");
    run->depth++;
    ok = peek(run) == '{' ? write_object(run) : write_array(run);
    run->depth--;
    return ok;
}

static bool write_value(struct run *run)
{
    if (run->out->full) return refuse(run, "too long a text");
    switch (peek(run)) {
    case '{':
    case '[': return write_nested(run);
    case '"': return write_string(run);
    case 't': return write_word(run, "true");
    case 'f': return write_word(run, "false");
    case 'n': return write_word(run, "null");
    case -1: return refuse(run, "its end");
    default: return write_number(run);
    }
}

static ll_rc write_all(struct run *run, struct ll_error *err)
{
    size_t start = run->out->len;
    bool ok = text_is_utf8(run->text) || refuse(run, "bytes that are no UTF-8");

    builder_init(&run->scratch, run->out->maximum);
    skip_space(run);
    if (ok && run->picks != NULL && peek(run) != '{') ok = refuse(run, "no object");
    ok = ok && write_value(run);
    skip_space(run);
    if (ok && run->at < run->text.len) ok = refuse(run, "more than one value");
    if (run->out->full) ok = refuse(run, "too long a text");
    if (!ok) run->out->len = start;
    if (!ok && run->out->ptr != NULL) run->out->ptr[start] = '\0';
    builder_fini(&run->scratch);
    free(run->members);
    if (ok) return LL_OK;
    return ll_fail(err, run->out->full ? LL_EFULL : LL_EINVAL, "JSON has %s at byte %zu",
                   run->problem, run->at);
}

ll_rc json_js_write(struct text json, struct builder *out, struct ll_error *err)
{
    struct run run = {.text = json, .out = out};

    return write_all(&run, err);
}

ll_rc json_js_write_picked(struct text json, const struct text *keys, size_t count,
                           struct builder *out, struct ll_error *err)
{
    struct json_js_pick *picks = ll_calloc(count + 1, sizeof(*picks));
    struct json_js_picks sorted = {.items = picks};
    struct run run = {.text = json, .out = out, .picks = &sorted};
    struct builder names;
    size_t at = 0;
    ll_rc rc;

    builder_init(&names, SIZE_MAX / 2);
    for (size_t i = 0; i < count; i++) {
        size_t start = names.len;

        json_js_quote(keys[i], &names);
        picks[i] = (struct json_js_pick){.key.len = names.len - start, .order = i};
    }
    for (size_t i = 0; i < count; i++) { /* now that the builder has stopped moving */
        picks[i].key.ptr = names.ptr + at;
        at += picks[i].key.len;
    }
    sorted.count = json_js_sort_picks(picks, count);
    rc = write_all(&run, err);
    builder_fini(&names);
    free(picks);
    return rc;
}

bool json_js_member(struct text json, const char *name, struct text *out)
{
    struct builder written, wanted;
    struct run run = {.text = json, .out = &written};
    bool ok;

    builder_init(&written, SIZE_MAX / 4);
    builder_init(&wanted, SIZE_MAX / 4);
    json_js_quote(text_of(name), &wanted);
    run.wanted = builder_view(&wanted);
    ok = write_all(&run, NULL) == LL_OK && run.found.len > 0;
    *out = ok ? run.found : TEXT("");
    builder_fini(&wanted);
    builder_fini(&written);
    return ok;
}

ll_rc json_js_parse(struct text json, json_t **out, struct ll_error *err)
{
    json_error_t why;

    *out = NULL;
    if (json.len > 0 && memchr(json.ptr, '\0', json.len) != NULL)
        return ll_fail(err, LL_EINVAL, "JSON with a NUL byte");
    if (!json_depth_is_within(json, JSON_JS_DEPTH))
        return ll_fail(err, LL_EINVAL, "JSON is nested deeper than %d", JSON_JS_DEPTH);
    *out = json_loadb(json.len ? json.ptr : "", json.len,
                      JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL,
                      &why);
    if (*out != NULL) return LL_OK;
    return ll_fail(err, LL_EINVAL, "%s (line %d, column %d)", why.text, why.line,
                   why.column);
}
