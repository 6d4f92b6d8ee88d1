/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* position.c - a short sorted array: a service reads a handful of partitions. */
#include "core/log/position.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int entry_compare(const struct position_entry *e, const char *topic,
                         uint32_t partition)
{
    int order = strcmp(e->topic, topic);

    if (order != 0) return order;
    return (e->partition > partition) - (e->partition < partition);
}

/* Index of the first entry not before (topic, partition). */
static size_t lower_bound(const struct position *p, const char *topic, uint32_t partition)
{
    size_t i = 0;

    while (i < p->len && entry_compare(&p->entry[i], topic, partition) < 0) i++;
    return i;
}

static bool is_at(const struct position *p, size_t i, const char *topic,
                  uint32_t partition)
{
    return i < p->len && entry_compare(&p->entry[i], topic, partition) == 0;
}

ll_rc position_raise(struct position *p, const char *topic, uint32_t partition,
                     uint64_t sequence)
{
    size_t i = lower_bound(p, topic, partition);
    struct position_entry *e = &p->entry[i];

    LL_CHECK(strlen(topic) < POSITION_TOPIC);
    if (is_at(p, i, topic, partition)) {
        if (sequence > e->sequence) e->sequence = sequence;
        return LL_OK;
    }
    if (p->len == POSITION_ENTRIES) return LL_EFULL;

    memmove(e + 1, e, (p->len - i) * sizeof(*e));
    *e = (struct position_entry){.partition = partition, .sequence = sequence};
    memcpy(e->topic, topic, strlen(topic));
    p->len++;
    return LL_OK;
}

bool position_get(const struct position *p, const char *topic, uint32_t partition,
                  uint64_t *out)
{
    size_t i = lower_bound(p, topic, partition);

    if (!is_at(p, i, topic, partition)) return false;
    *out = p->entry[i].sequence;
    return true;
}

bool position_covers(const struct position *p, const struct position *q)
{
    for (size_t i = 0; i < q->len; i++) {
        const struct position_entry *want = &q->entry[i];
        uint64_t seen;

        if (!position_get(p, want->topic, want->partition, &seen)) return false;
        if (seen < want->sequence) return false;
    }
    return true;
}

/* A topic's name up to `/`: lower-case letters and hyphens. */
static bool take_topic(const char **s, const char *end, char out[POSITION_TOPIC])
{
    size_t n = 0;

    while (*s < end && ((**s >= 'a' && **s <= 'z') || **s == '-')) {
        if (n == POSITION_TOPIC - 1) return false;
        out[n++] = *(*s)++;
    }
    out[n] = '\0';
    return n > 0;
}

/* Decimal, no sign, no leading zero, at most `max`. strtoull would take
 * " +07" and report overflow through errno; a stranger's bytes get neither. */
static bool take_number(const char **s, const char *end, uint64_t max, uint64_t *out)
{
    const char *start = *s;
    uint64_t n = 0;

    for (; *s < end && **s >= '0' && **s <= '9'; (*s)++) {
        uint64_t digit = (uint64_t)(**s - '0');
        if (n > (max - digit) / 10) return false;
        n = n * 10 + digit;
    }
    *out = n;
    return *s > start && (*start != '0' || *s == start + 1);
}

static bool take_char(const char **s, const char *end, char c)
{
    if (*s == end || **s != c) return false;
    (*s)++;
    return true;
}

/* One entry at *s, which must come after all that `p` holds. */
static ll_rc take_entry(struct position *p, const char **s, const char *end)
{
    char topic[POSITION_TOPIC];
    uint64_t partition, sequence;

    if (!take_topic(s, end, topic) || !take_char(s, end, '/') ||
        !take_number(s, end, UINT32_MAX, &partition) || !take_char(s, end, '=') ||
        !take_number(s, end, UINT64_MAX, &sequence))
        return LL_EINVAL;
    if (lower_bound(p, topic, (uint32_t)partition) != p->len) return LL_EINVAL;
    return position_raise(p, topic, (uint32_t)partition, sequence);
}

ll_rc position_parse(struct position *p, const char *text, size_t len)
{
    const char *s = text, *end = text + len;
    ll_rc rc = LL_OK;

    position_init(p);
    while (s < end && rc == LL_OK) {
        rc = take_entry(p, &s, end);
        if (rc == LL_OK && s < end && (!take_char(&s, end, ',') || s == end))
            rc = LL_EINVAL;
    }
    if (rc != LL_OK) position_init(p);
    return rc;
}

size_t position_print(const struct position *p, char out[POSITION_TEXT])
{
    size_t n = 0;

    out[0] = '\0';
    for (size_t i = 0; i < p->len; i++) {
        const struct position_entry *e = &p->entry[i];
        int wrote = snprintf(out + n, POSITION_TEXT - n, "%s%s/%" PRIu32 "=%" PRIu64,
                             i ? "," : "", e->topic, e->partition, e->sequence);

        LL_CHECK(wrote > 0 && (size_t)wrote < POSITION_TEXT - n);
        n += (size_t)wrote;
    }
    return n;
}
