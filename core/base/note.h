/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* note.h - the one way to write a line of log: a static message and key=value pairs.
 *
 * Lines go to standard error in logfmt:
 *   time=2026-01-05T10:00:00.123Z level=info process=project message="caught up"
 * events=12 Any thread may call; a line is written with one write(2).
 */
#ifndef LL_NOTE_H
#define LL_NOTE_H

#include "core/base/text.h"

enum note_level { NOTE_DEBUG, NOTE_INFO, NOTE_WARNING, NOTE_ERROR };

/* One pair; made with the functions below, values quoted where they must be. */
struct note_pair {
    const char *key;
    enum { NOTE_TEXT, NOTE_INTEGER, NOTE_REAL } kind;
    struct text text;
    int64_t integer;
    double real;
};

#define NOTE_T(k, v) ((struct note_pair){.key = (k), .kind = NOTE_TEXT, .text = (v)})
#define NOTE_S(k, v) NOTE_T(k, text_of(v))
#define NOTE_I(k, v) \
    ((struct note_pair){.key = (k), .kind = NOTE_INTEGER, .integer = (int64_t)(v)})
#define NOTE_R(k, v) ((struct note_pair){.key = (k), .kind = NOTE_REAL, .real = (v)})

/* What every line of this process says of itself; `process` must stay. Lines below
 * `least` are not written. Called once, before threads. */
void note_setup(const char *process, enum note_level least);

void note_pairs(enum note_level level, const char *message, const struct note_pair *pairs,
                size_t n);

/* note(NOTE_INFO, "relay took over", NOTE_S("topic", topic), NOTE_I("epoch", epoch)) */
#define note(level, message, ...) \
    note_pairs(level, message, (const struct note_pair[]){{0}, ##__VA_ARGS__}, \
               sizeof((const struct note_pair[]){{0}, ##__VA_ARGS__}) / \
                   sizeof(struct note_pair))

#endif
