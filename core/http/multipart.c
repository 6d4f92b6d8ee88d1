/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* multipart.c - a state for each place between two delimiters; see multipart.h. */
#include "core/http/multipart.h"

#include "core/http/field.h"

#include <string.h>

enum state {
    PREAMBLE,  /* before the first delimiter */
    DELIMITED, /* behind a delimiter: padding, its line's end, or `--` */
    PADDING,
    LINE_END,  /* its CR was seen */
    LAST_DASH, /* one dash was seen */
    HEAD,
    DATA,
    EPILOGUE
};

/* ---- the Content-Type that announces it ---- */

/* RFC 2046's bchars; a space may not be the last. */
static bool is_boundary(struct text t)
{
    for (size_t i = 0; i < t.len; i++) {
        char c = t.ptr[i];

        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') &&
            !(c >= 'A' && c <= 'Z') && (c == '\0' || strchr("'()+_,-./:=? ", c) == NULL))
            return false;
    }
    return t.len > 0 && t.len <= MULTIPART_BOUNDARY && t.ptr[t.len - 1] != ' ';
}

ll_rc multipart_init(struct multipart *m, struct text content_type)
{
    struct field_parameter p;
    char room[MULTIPART_BOUNDARY + 1];
    struct text boundary = {0}, type;
    size_t found = 0;
    ll_rc rc;

    memset(m, 0, sizeof(*m));
    builder_init(&m->head, MULTIPART_HEAD);
    field_begin(&content_type, &type);
    if (!text_equal_ignoring_case(type, TEXT("multipart/form-data"))) return LL_ENOTFOUND;
    while ((rc = field_next(&content_type, &p)) == LL_OK) {
        if (!text_equal_ignoring_case(p.name, TEXT("boundary"))) continue;
        if (found++ > 0 || !field_unquote(&p, room, sizeof(room), &boundary))
            return LL_EINVAL;
    }
    if (rc != LL_ENOTFOUND || !is_boundary(boundary)) return LL_EINVAL;
    memcpy(m->delimiter, "\r\n--", 4);
    memcpy(m->delimiter + 4, boundary.ptr, boundary.len);
    m->delimiter_len = 4 + boundary.len;
    m->matched = 2; /* the first delimiter needs no line before it */
    return LL_OK;
}

void multipart_fini(struct multipart *m)
{
    builder_fini(&m->head);
}

bool multipart_is_complete(const struct multipart *m)
{
    return m->state == EPILOGUE;
}

/* ---- a part's head ---- */

/* The parameters of `form-data; name="..."; filename="..."`. */
static bool read_disposition(struct text value, char *room, struct multipart_part *out)
{
    struct field_parameter p;
    struct text type;
    ll_rc rc;

    field_begin(&value, &type);
    if (!text_equal_ignoring_case(type, TEXT("form-data"))) return false;
    while ((rc = field_next(&value, &p)) == LL_OK) {
        bool is_name = text_equal_ignoring_case(p.name, TEXT("name"));
        struct text *to = is_name ? &out->name : &out->file_name;

        if (text_equal_ignoring_case(p.name, TEXT("filename*"))) out->is_file = true;
        if (!is_name && !text_equal_ignoring_case(p.name, TEXT("filename"))) continue;
        if (to->ptr != NULL) return false; /* twice */
        if (!field_unquote(&p, is_name ? room : room + MULTIPART_NAME + 1,
                           MULTIPART_NAME + 1, to) ||
            !text_is_utf8(*to))
            return false;
    }
    return rc == LL_ENOTFOUND && out->name.len > 0;
}

static bool is_octet_stream(struct text content_type)
{
    struct text type;

    field_begin(&content_type, &type);
    return text_equal_ignoring_case(type, TEXT("application/octet-stream"));
}

static struct text trim(struct text t)
{
    while (t.len > 0 && (t.ptr[0] == ' ' || t.ptr[0] == '\t')) t.ptr++, t.len--;
    while (t.len > 0 && (t.ptr[t.len - 1] == ' ' || t.ptr[t.len - 1] == '\t')) t.len--;
    return t;
}

/* The next line up to its CR LF, both of which the head is known to have. */
static struct text next_line(struct text *rest)
{
    const char *end = memmem(rest->ptr, rest->len, "\r\n", 2);
    struct text line = {rest->ptr, (size_t)(end - rest->ptr)};

    rest->ptr = end + 2;
    rest->len -= line.len + 2;
    return line;
}

static bool read_head(struct text head, char *room, struct multipart_part *out)
{
    bool is_disposed = false;

    *out = (struct multipart_part){0};
    while (head.len > 2) {
        struct text value = next_line(&head), name;

        if (memchr(value.ptr, '\r', value.len) || memchr(value.ptr, '\n', value.len) ||
            memchr(value.ptr, '\0', value.len) || !text_cut(&value, ':', &name) ||
            !field_is_token(name))
            return false;
        value = trim(value);
        if (text_equal_ignoring_case(name, TEXT("content-disposition"))) {
            if (is_disposed || !read_disposition(value, room, out)) return false;
            is_disposed = true;
        } else if (text_equal_ignoring_case(name, TEXT("content-type"))) {
            if (out->type.len > 0 || value.len > MULTIPART_TYPE || !text_is_utf8(value))
                return false;
            out->type = value;
        }
    }
    out->is_file |= out->file_name.len > 0 || is_octet_stream(out->type);
    return is_disposed;
}

static ll_rc begin_part(struct multipart *m, const struct multipart_sink *sink,
                        void *context)
{
    char room[2 * (MULTIPART_NAME + 1)];
    struct multipart_part part;

    if (!read_head(builder_view(&m->head), room, &part)) return LL_EINVAL;
    builder_reset(&m->head);
    m->state = DATA;
    m->matched = 0;
    return sink->begin(context, &part);
}

/* It ends with an empty line, which may be all of it. */
static bool is_whole(struct text head)
{
    return (head.len == 2 && memcmp(head.ptr, "\r\n", 2) == 0) ||
           (head.len >= 4 && memcmp(head.ptr + head.len - 4, "\r\n\r\n", 4) == 0);
}

/* Up to the LF at most, so that a whole head is seen as soon as it is one. */
static ll_rc take_head(struct multipart *m, struct text *bytes,
                       const struct multipart_sink *sink, void *context)
{
    const char *lf = memchr(bytes->ptr, '\n', bytes->len);
    size_t n = lf != NULL ? (size_t)(lf - bytes->ptr) + 1 : bytes->len;

    builder_add(&m->head, bytes->ptr, n);
    bytes->ptr += n;
    bytes->len -= n;
    if (m->head.full) return LL_EINVAL;
    return is_whole(builder_view(&m->head)) ? begin_part(m, sink, context) : LL_OK;
}

/* ---- data up to a delimiter ---- */

static ll_rc pass_on(const struct multipart *m, const char *bytes, size_t n,
                     const struct multipart_sink *sink, void *context)
{
    return m->state == DATA && n > 0 ? sink->data(context, bytes, n) : LL_OK;
}

static ll_rc end_data(struct multipart *m, const struct multipart_sink *sink,
                      void *context)
{
    bool in_part = m->state == DATA;

    m->state = DELIMITED;
    m->matched = 0;
    return in_part ? sink->end(context) : LL_OK;
}

/* How many of the last bytes may be the beginning of a delimiter. */
static size_t begun_delimiter(const struct multipart *m, struct text bytes)
{
    size_t n = bytes.len < m->delimiter_len ? bytes.len : m->delimiter_len - 1;

    for (; n > 0; n--)
        if (memcmp(bytes.ptr + bytes.len - n, m->delimiter, n) == 0) break;
    return n;
}

/* Up to a delimiter, or to what may be the beginning of one: in one piece, since data is
 * written as it is passed on, and a CR is in every 256th place of what is compressed. */
static ll_rc search(struct multipart *m, struct text *bytes,
                    const struct multipart_sink *sink, void *context)
{
    const char *start = bytes->ptr;
    const char *at = memmem(start, bytes->len, m->delimiter, m->delimiter_len);
    size_t n =
        at != NULL ? (size_t)(at - start) : bytes->len - begun_delimiter(m, *bytes);
    size_t took = at != NULL ? n + m->delimiter_len : bytes->len;
    ll_rc rc;

    m->matched = took - n;
    bytes->ptr += took;
    bytes->len -= took;
    rc = pass_on(m, start, n, sink, context);
    return rc == LL_OK && at != NULL ? end_data(m, sink, context) : rc;
}

/* Go on with a delimiter that began in earlier bytes. It has no second CR, so a match
 * that fails can begin again only at the byte that broke it. */
static ll_rc take_data(struct multipart *m, struct text *bytes,
                       const struct multipart_sink *sink, void *context)
{
    while (m->matched > 0 && bytes->len > 0) {
        if (bytes->ptr[0] != m->delimiter[m->matched]) {
            size_t n = m->matched;

            m->matched = 0;
            return pass_on(m, m->delimiter, n, sink, context);
        }
        bytes->ptr++;
        bytes->len--;
        if (++m->matched == m->delimiter_len) return end_data(m, sink, context);
    }
    return bytes->len > 0 ? search(m, bytes, sink, context) : LL_OK;
}

/* ---- behind a delimiter: one byte at a time ---- */

static ll_rc step(struct multipart *m, char c)
{
    switch ((enum state)m->state) {
    case DELIMITED:
        if (c == '-') {
            m->state = LAST_DASH;
            return LL_OK;
        }
        m->state = PADDING;
        return step(m, c);
    case PADDING:
        if (c == '\r') m->state = LINE_END;
        return c == '\r' || c == ' ' || c == '\t' ? LL_OK : LL_EINVAL;
    case LINE_END: m->state = HEAD; return c == '\n' ? LL_OK : LL_EINVAL;
    case LAST_DASH: m->state = EPILOGUE; return c == '-' ? LL_OK : LL_EINVAL;
    case PREAMBLE:
    case HEAD:
    case DATA:
    case EPILOGUE: break;
    }
    LL_BUG("a state that takes more than a byte");
}

ll_rc multipart_feed(struct multipart *m, struct text bytes,
                     const struct multipart_sink *sink, void *context)
{
    ll_rc rc = LL_OK;

    while (bytes.len > 0 && rc == LL_OK && m->state != EPILOGUE) {
        if (m->state == PREAMBLE || m->state == DATA) {
            rc = take_data(m, &bytes, sink, context);
        } else if (m->state == HEAD) {
            rc = take_head(m, &bytes, sink, context);
        } else {
            rc = step(m, bytes.ptr[0]);
            bytes.ptr++;
            bytes.len--;
        }
    }
    return rc;
}
