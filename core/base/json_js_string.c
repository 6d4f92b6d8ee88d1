/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* json_js_string.c - each string has one spelling: what must be escaped is, in the
 * shortest form, and nothing else is. So equal strings are equal bytes. */
#include "core/base/json_js_private.h"

#include <string.h>

static bool is_high(unsigned unit)
{
    return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low(unsigned unit)
{
    return unit >= 0xdc00 && unit <= 0xdfff;
}

static void write_ascii(unsigned c, struct builder *out)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *at = c == 0 ? NULL : strchr(from, (int)c);

    if (at != NULL) {
        builder_char(out, '\\');
        builder_char(out, to[at - from]);
    } else if (c < 0x20) {
        builder_printf(out, "\\u%04x", c);
    } else {
        builder_char(out, (char)c);
    }
}

static void write_point(unsigned point, struct builder *out)
{
    if (point < 0x80) {
        write_ascii(point, out);
    } else if (is_high(point) || is_low(point)) {
        builder_printf(out, "\\u%04x", point); /* alone: no UTF-8 has it */
    } else if (point < 0x800) {
        builder_char(out, (char)(0xc0 | point >> 6));
        builder_char(out, (char)(0x80 | (point & 0x3f)));
    } else if (point < 0x10000) {
        builder_char(out, (char)(0xe0 | point >> 12));
        builder_char(out, (char)(0x80 | (point >> 6 & 0x3f)));
        builder_char(out, (char)(0x80 | (point & 0x3f)));
    } else {
        builder_char(out, (char)(0xf0 | point >> 18));
        builder_char(out, (char)(0x80 | (point >> 12 & 0x3f)));
        builder_char(out, (char)(0x80 | (point >> 6 & 0x3f)));
        builder_char(out, (char)(0x80 | (point & 0x3f)));
    }
}

/* The unit of `\uXXXX` at `at`; false when that is not there. */
static bool take_unit(struct text json, size_t at, unsigned *unit)
{
    uint8_t bytes[2];

    if (json.len - at < 6 || json.ptr[at] != '\\' || json.ptr[at + 1] != 'u' ||
        !hex_decode((struct text){json.ptr + at + 2, 4}, bytes, 2))
        return false;
    *unit = (unsigned)bytes[0] << 8 | bytes[1];
    return true;
}

static size_t write_unicode(struct text json, size_t at, struct builder *out)
{
    unsigned unit, next;

    if (!take_unit(json, at, &unit)) return 0;
    if (is_high(unit) && take_unit(json, at + 6, &next) && is_low(next)) {
        write_point(0x10000 + ((unit - 0xd800) << 10) + (next - 0xdc00), out);
        return 12;
    }
    write_point(unit, out);
    return 6;
}

/* One escape at `at`; bytes taken, or 0. */
static size_t write_escape(struct text json, size_t at, struct builder *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *which;

    if (json.len - at < 2) return 0;
    if (json.ptr[at + 1] == 'u') return write_unicode(json, at, out);
    which = json.ptr[at + 1] == '\0' ? NULL : strchr(from, json.ptr[at + 1]);
    if (which == NULL) return 0;
    write_ascii((unsigned char)to[which - from], out);
    return 2;
}

size_t json_js_string(struct text json, size_t at, struct builder *out)
{
    size_t start = at, plain = at + 1;

    builder_char(out, '"');
    for (at++; at < json.len;) {
        unsigned char c = (unsigned char)json.ptr[at];
        size_t taken;

        if (c < 0x20) return 0;
        if (c != '"' && c != '\\') {
            at++;
            continue;
        }
        builder_add(out, json.ptr + plain, at - plain);
        if (c == '"') {
            builder_char(out, '"');
            return at + 1 - start;
        }
        taken = write_escape(json, at, out);
        if (taken == 0) return 0;
        at += taken;
        plain = at;
    }
    return 0;
}

void json_js_quote(struct text t, struct builder *out)
{
    size_t plain = 0;

    builder_char(out, '"');
    for (size_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.ptr[i];

        if (c >= 0x20 && c != '"' && c != '\\') continue;
        builder_add(out, t.ptr + plain, i - plain);
        write_ascii(c, out);
        plain = i + 1;
    }
    builder_add(out, t.ptr + plain, t.len - plain);
    builder_char(out, '"');
}
