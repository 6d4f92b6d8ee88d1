/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* pattern_parse.c - recursive descent over a pattern's text; nothing ambiguous passes. */
#include "core/event/pattern_parse.h"

#include <string.h>

enum { GROUPS = 16 };

struct parser {
    const char *start, *at, *end;
    struct arena *arena;
    struct ll_error *err;
    ll_rc rc; /* latched */
    int depth;
};

static void refuse(struct parser *p, const char *what)
{
    if (p->rc != LL_OK) return;
    p->rc = ll_fail(p->err, LL_EINVAL, "pattern \"%.*s\": %s (byte %zu)",
                    (int)(p->end - p->start), p->start, what, (size_t)(p->at - p->start));
}

static bool take(struct parser *p, char c)
{
    if (p->at == p->end || *p->at != c) return false;
    p->at++;
    return true;
}

static struct pattern_tree *tree(struct parser *p, int kind,
                                 const struct pattern_tree *left,
                                 const struct pattern_tree *right)
{
    struct pattern_tree *t = arena_calloc(p->arena, 1, sizeof(*t));

    t->kind = (unsigned)kind;
    t->left = left;
    t->right = right;
    return t;
}

static void add_range(struct pattern_set *s, unsigned from, unsigned to)
{
    for (unsigned c = from; c <= to; c++) pattern_set_add(s, c);
}

/* ASCII is turned over; all that is beyond it is in, unless it was. */
static void invert(struct pattern_set *s)
{
    s->bits[0] = ~s->bits[0];
    s->bits[1] = ~s->bits[1];
    s->beyond_ascii = !s->beyond_ascii;
}

/* The classes that a letter names, in either case; false for another letter. */
static bool named_class(char c, struct pattern_set *s)
{
    *s = (struct pattern_set){0};
    switch (c | 0x20) {
    case 'd': add_range(s, '0', '9'); break;
    case 'w':
        add_range(s, '0', '9');
        add_range(s, 'A', 'Z');
        add_range(s, 'a', 'z');
        pattern_set_add(s, '_');
        break;
    case 's':
        add_range(s, '\t', '\r');
        pattern_set_add(s, ' ');
        break;
    default: return false;
    }
    if (c < 'a') invert(s);
    return true;
}

/* The character behind a backslash where it stands for one byte, or -1. */
static int escaped(char c)
{
    static const char from[] = "tnrfv", to[] = "\t\n\r\f\v";
    const char *at = c == '\0' ? NULL : strchr(from, c);

    if (at != NULL) return to[at - from];
    if (c != '\0' && strchr("^$\\.*+?()[]{}|/-\"'#@:,=<>!%&~ ", c) != NULL) return c;
    return -1;
}

/* What is behind a backslash, as a set of one or many. */
static struct pattern_set take_escape(struct parser *p)
{
    struct pattern_set s = {0};
    int byte;

    if (p->at == p->end) {
        refuse(p, "nothing behind the backslash");
        return s;
    }
    if (named_class(*p->at, &s)) {
        p->at++;
        return s;
    }
    byte = escaped(*p->at);
    if (byte < 0)
        refuse(p, "an escape that is not supported");
    else
        pattern_set_add(&s, (unsigned)byte);
    p->at++;
    return s;
}

/* The only byte of a set, or -1. */
static int single(const struct pattern_set *s)
{
    int found = -1;

    if (s->beyond_ascii) return -1;
    for (unsigned c = 0; c < 128; c++) {
        if (!pattern_set_has(s, c)) continue;
        if (found >= 0) return -1;
        found = (int)c;
    }
    return found;
}

static struct pattern_set take_class_atom(struct parser *p)
{
    struct pattern_set s = {0};

    if (p->at == p->end) {
        refuse(p, "a class is not closed");
    } else if ((unsigned char)*p->at >= 0x80) {
        refuse(p, "a character beyond ASCII in a class");
    } else if (take(p, '\\')) {
        return take_escape(p);
    } else if (*p->at == '[') {
        refuse(p, "an unescaped [ in a class");
    } else {
        pattern_set_add(&s, (unsigned char)*p->at++);
    }
    return s;
}

static void take_class_item(struct parser *p, struct pattern_set *all)
{
    struct pattern_set s = take_class_atom(p);
    int from = single(&s), to;

    if (p->end - p->at >= 2 && p->at[0] == '-' && p->at[1] != ']') {
        p->at++;
        s = take_class_atom(p);
        to = single(&s);
        if (from < 0 || to < from)
            refuse(p, "a range that is none");
        else
            add_range(all, (unsigned)from, (unsigned)to);
        return;
    }
    all->bits[0] |= s.bits[0];
    all->bits[1] |= s.bits[1];
    all->beyond_ascii |= s.beyond_ascii;
}

/* Behind the opening bracket. */
static struct pattern_set take_class(struct parser *p)
{
    struct pattern_set all = {0};
    bool is_inverted = take(p, '^');

    if (p->at < p->end && *p->at == ']') refuse(p, "an empty class");
    while (p->rc == LL_OK && !take(p, ']')) take_class_item(p, &all);
    if (is_inverted) invert(&all);
    return all;
}

static const struct pattern_tree *take_either(struct parser *p);

static const struct pattern_tree *take_group(struct parser *p)
{
    const struct pattern_tree *inner;

    if (take(p, '?') && !take(p, ':')) refuse(p, "a kind of group that is not supported");
    if (++p->depth > GROUPS) refuse(p, "groups are nested too deep");
    inner = take_either(p);
    if (!take(p, ')')) refuse(p, "a group is not closed");
    p->depth--;
    return inner;
}

/* Each byte of a literal stands alone; a repetition behind one that is only a part of
 * a character is refused by the caller. */
static struct pattern_set take_literal(struct parser *p)
{
    struct pattern_set s = {0};

    if (strchr("*+?{}])", *p->at) != NULL) refuse(p, "must be escaped here");
    pattern_set_add(&s, (unsigned char)*p->at++);
    return s;
}

static const struct pattern_tree *take_atom(struct parser *p)
{
    struct pattern_tree *t;

    if (take(p, '(')) return take_group(p);
    if (take(p, '^')) return tree(p, PATTERN_BEGIN, NULL, NULL);
    if (take(p, '$')) return tree(p, PATTERN_END, NULL, NULL);
    t = tree(p, PATTERN_SET, NULL, NULL);
    if (take(p, '.')) {
        pattern_set_add(&t->set, '\n');
        pattern_set_add(&t->set, '\r');
        invert(&t->set);
    } else if (take(p, '[')) {
        t->set = take_class(p);
    } else if (take(p, '\\')) {
        t->set = take_escape(p);
    } else {
        t->set = take_literal(p);
    }
    return t;
}

static int take_number(struct parser *p)
{
    int n = 0;
    const char *start = p->at;

    for (; p->at < p->end && *p->at >= '0' && *p->at <= '9'; p->at++) {
        n = n * 10 + (*p->at - '0');
        if (n > PATTERN_REPEAT) {
            refuse(p, "a repetition is too large");
            return 0;
        }
    }
    if (p->at == start) refuse(p, "a number is missing");
    return n;
}

/* True when a repetition follows, which is then behind us. */
static bool take_times(struct parser *p, int *least, int *most)
{
    *least = 0;
    *most = PATTERN_FOREVER;
    if (take(p, '*')) return true;
    if (take(p, '+')) {
        *least = 1;
        return true;
    }
    if (take(p, '?')) {
        *most = 1;
        return true;
    }
    if (!take(p, '{')) return false;
    *most = *least = take_number(p);
    if (take(p, ','))
        *most = p->at < p->end && *p->at == '}' ? PATTERN_FOREVER : take_number(p);
    if (!take(p, '}')) refuse(p, "a repetition is not closed");
    if (*most != PATTERN_FOREVER && *most < *least) refuse(p, "a repetition is reversed");
    return true;
}

static const struct pattern_tree *take_repeated(struct parser *p)
{
    bool is_anchor = *p->at == '^' || *p->at == '$';
    bool is_part = (unsigned char)*p->at >= 0x80;
    const struct pattern_tree *atom = take_atom(p);
    struct pattern_tree *t;
    int least, most;

    if (!take_times(p, &least, &most)) return atom;
    if (is_anchor) refuse(p, "an anchor cannot be repeated");
    if (is_part) refuse(p, "put a character beyond ASCII into a group to repeat it");
    if (p->at < p->end && strchr("*+?{", *p->at) != NULL)
        refuse(p, "lazy and repeated repetitions are not supported");
    t = tree(p, PATTERN_TIMES, atom, NULL);
    t->least = least;
    t->most = most;
    return t;
}

static const struct pattern_tree *take_both(struct parser *p)
{
    const struct pattern_tree *all = tree(p, PATTERN_EMPTY, NULL, NULL);

    while (p->rc == LL_OK && p->at < p->end && *p->at != '|' && *p->at != ')')
        all = tree(p, PATTERN_BOTH, all, take_repeated(p));
    return all;
}

static const struct pattern_tree *take_either(struct parser *p)
{
    const struct pattern_tree *all = take_both(p);

    while (p->rc == LL_OK && take(p, '|'))
        all = tree(p, PATTERN_EITHER, all, take_both(p));
    return all;
}

ll_rc pattern_parse(struct text source, struct arena *arena,
                    const struct pattern_tree **out, struct ll_error *err)
{
    struct parser p = {source.ptr, source.ptr, source.ptr + source.len, arena, err,
                       LL_OK,      0};

    if (source.len > PATTERN_TEXT)
        return ll_fail(err, LL_EFULL, "pattern: longer than %d bytes", PATTERN_TEXT);
    if (!text_is_utf8(source)) return ll_fail(err, LL_EINVAL, "pattern: not UTF-8");
    *out = take_either(&p);
    if (p.at < p.end) refuse(&p, "must be escaped here");
    return p.rc;
}
