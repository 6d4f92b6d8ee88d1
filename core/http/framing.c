/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* framing.c - one state a byte; see framing.h. */
#include "core/http/framing.h"

#include <string.h>

enum state {
    BEFORE,    /* empty lines that some clients put before a request */
    BEFORE_CR, /* the CR of such a line was seen */
    METHOD,
    TARGET_START,
    TARGET,
    VERSION,
    REQUEST_LINE_CR,
    LINE, /* at a header line's first byte */
    NAME,
    VALUE,
    VALUE_CR,
    END_CR, /* the CR of the empty line that ends a head or trailers */
    HEAD_ENDED,
    UNSEEN, /* a body of known length */
    SIZE,   /* of a chunk */
    EXTENSION,
    SIZE_CR,
    DATA,
    DATA_CR, /* at the CR behind a chunk */
    DATA_LF,
    ENDED
};

static const char bad_request_line[] = "the request line is malformed";
static const char bad_line[] = "a line does not end in CR LF";
static const char bad_chunk[] = "a chunk is malformed";

void framing_init(struct framing *f)
{
    *f = (struct framing){.state = BEFORE};
}

void framing_body(struct framing *f, bool is_chunked)
{
    f->state = is_chunked ? SIZE : UNSEEN;
    f->digits = f->spent = 0;
    f->chunk = 0;
}

/* RFC 9110, 5.6.2. */
static bool is_token(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_control(unsigned char c)
{
    return (c < ' ' && c != '\t') || c == 0x7f;
}

static const char *expect(struct framing *f, bool is_it, enum state next, const char *why)
{
    if (!is_it) return why;
    f->state = next;
    return NULL;
}

/* Bytes that a client may send for nothing are counted. */
static const char *spend(struct framing *f, size_t most, const char *why)
{
    return f->spent++ < most ? NULL : why;
}

static const char *before(struct framing *f, unsigned char c)
{
    if (c == '\r') {
        f->state = BEFORE_CR;
        return spend(f, FRAMING_TRAILERS, "too many empty lines before a request");
    }
    return expect(f, is_token(c), METHOD, bad_request_line);
}

static const char *method(struct framing *f, unsigned char c)
{
    return is_token(c) ? NULL : expect(f, c == ' ', TARGET_START, bad_request_line);
}

static const char *target_start(struct framing *f, unsigned char c)
{
    return expect(f, c > ' ' && c != 0x7f, TARGET, bad_request_line);
}

static const char *target(struct framing *f, unsigned char c)
{
    f->digits = 0;
    if (c > ' ' && c != 0x7f) return NULL;
    return expect(f, c == ' ', VERSION, bad_request_line);
}

/* HTTP-version, which the parser checks in part; which one it is, is its matter. */
static const char *version(struct framing *f, unsigned char c)
{
    static const char shape[] = "HTTP/0.0\r";
    char want = shape[f->digits++];

    if (want == '\r') return expect(f, c == '\r', REQUEST_LINE_CR, bad_request_line);
    if (want == '0') return c >= '0' && c <= '9' ? NULL : bad_request_line;
    return c == (unsigned char)want ? NULL : bad_request_line;
}

static const char *line_start(struct framing *f, unsigned char c)
{
    if (c == '\r')
        f->state = END_CR;
    else if (c == ' ' || c == '\t')
        return "a header is folded";
    else
        return expect(f, is_token(c), NAME, "a header's name is malformed");
    return NULL;
}

static const char *name(struct framing *f, unsigned char c)
{
    if (is_token(c)) return NULL;
    return expect(f, c == ':', VALUE, "a header's name is malformed");
}

/* Of a header's value or a chunk's extension. */
static const char *until_cr(struct framing *f, unsigned char c, enum state next)
{
    if (c == '\r') {
        f->state = next;
        return NULL;
    }
    if (c == '\n') return bad_line;
    return is_control(c) ? "a control character" : NULL;
}

static int hex_digit(unsigned char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static const char *size(struct framing *f, unsigned char c)
{
    int digit = hex_digit(c);

    if (digit >= 0) {
        if (f->digits++ == FRAMING_DIGITS) return "a chunk's size has too many digits";
        f->chunk = f->chunk << 4 | (uint64_t)digit;
        return NULL;
    }
    if (f->digits == 0) return bad_chunk;
    f->spent = 0;
    if (c == ';') {
        f->state = EXTENSION;
        return NULL;
    }
    return expect(f, c == '\r', SIZE_CR, bad_chunk);
}

/* The last chunk is empty, and trailers come behind it. */
static const char *size_end(struct framing *f, unsigned char c)
{
    const char *why = expect(f, c == '\n', f->chunk > 0 ? DATA : LINE, bad_line);

    f->in_trailers = f->chunk == 0;
    f->spent = 0;
    return why;
}

static const char *next_chunk(struct framing *f, unsigned char c)
{
    f->digits = 0;
    f->chunk = 0;
    return expect(f, c == '\n', SIZE, bad_chunk);
}

static const char *step(struct framing *f, unsigned char c)
{
    switch ((enum state)f->state) {
    case BEFORE: return before(f, c);
    case BEFORE_CR: return expect(f, c == '\n', BEFORE, bad_line);
    case METHOD: return method(f, c);
    case TARGET_START: return target_start(f, c);
    case TARGET: return target(f, c);
    case VERSION: return version(f, c);
    case REQUEST_LINE_CR: return expect(f, c == '\n', LINE, bad_line);
    case LINE: return line_start(f, c);
    case NAME: return name(f, c);
    case VALUE: return until_cr(f, c, VALUE_CR);
    case VALUE_CR: return expect(f, c == '\n', LINE, bad_line);
    case END_CR:
        return expect(f, c == '\n', f->in_trailers ? ENDED : HEAD_ENDED, bad_line);
    case SIZE: return size(f, c);
    case EXTENSION: return until_cr(f, c, SIZE_CR);
    case SIZE_CR: return size_end(f, c);
    case DATA_CR: return expect(f, c == '\r', DATA_LF, bad_chunk);
    case DATA_LF: return next_chunk(f, c);
    case DATA:
    case HEAD_ENDED:
    case UNSEEN:
    case ENDED: break;
    }
    return NULL;
}

/* Data of a chunk is passed over at once. */
static size_t pass_data(struct framing *f, size_t n)
{
    size_t take = f->chunk < n ? (size_t)f->chunk : n;

    f->chunk -= take;
    if (f->chunk == 0) f->state = DATA_CR;
    return take;
}

static const char *step_counted(struct framing *f, unsigned char c)
{
    const char *why = NULL;

    if (f->state == EXTENSION)
        why = spend(f, FRAMING_EXTENSION, "a chunk's extension is too long");
    else if (f->in_trailers)
        why = spend(f, FRAMING_TRAILERS, "the trailers are too long");
    return why != NULL ? why : step(f, c);
}

size_t framing_check(struct framing *f, const char *bytes, size_t n, const char **fault)
{
    size_t i = 0;

    *fault = NULL;
    if (f->state == UNSEEN) return n;
    while (i < n && f->state != HEAD_ENDED && f->state != ENDED) {
        if (f->state == DATA) {
            i += pass_data(f, n - i);
            continue;
        }
        *fault = step_counted(f, (unsigned char)bytes[i]);
        if (*fault != NULL) return i;
        i++;
    }
    return i;
}
