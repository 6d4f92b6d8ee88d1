/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* note.c - see note.h. */
#include "core/base/note.h"

#include "core/base/clock.h"

#include <unistd.h>

enum { LINE = 4096 };

static const char *note_process = "landlog";
static enum note_level note_least = NOTE_INFO;

static const char *const level_names[] = {"debug", "info", "warning", "error"};

void note_setup(const char *process, enum note_level least)
{
    note_process = process;
    note_least = least;
}

static bool is_plain(struct text t)
{
    for (size_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.ptr[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f) return false;
    }
    return t.len > 0;
}

static void add_value(struct builder *b, const struct note_pair *pair)
{
    switch (pair->kind) {
    case NOTE_INTEGER: builder_i64(b, pair->integer); return;
    case NOTE_REAL: builder_printf(b, "%.6g", pair->real); return;
    case NOTE_TEXT: break;
    }
    if (is_plain(pair->text))
        builder_text(b, pair->text);
    else
        builder_json_string(b, pair->text);
}

void note_pairs(enum note_level level, const char *message, const struct note_pair *pairs,
                size_t n)
{
    struct builder b;
    char when[CLOCK_TEXT];
    struct text line;

    if (level < note_least) return;
    builder_init(&b, LINE);
    clock_print(clock_now_ms(), when);
    builder_printf(&b, "time=%s level=%s process=%s message=", when, level_names[level],
                   note_process);
    builder_json_string(&b, text_of(message));
    for (size_t i = 0; i < n; i++) {
        if (pairs[i].key == NULL) continue;
        builder_printf(&b, " %s=", pairs[i].key);
        add_value(&b, &pairs[i]);
    }
    if (b.full) b.full = false, b.len = b.len < LINE - 1 ? b.len : LINE - 1;
    builder_char(&b, '\n');
    line = builder_view(&b);
    if (write(STDERR_FILENO, line.ptr, line.len) < 0) { /* nowhere left to say so */
    }
    builder_fini(&b);
}
