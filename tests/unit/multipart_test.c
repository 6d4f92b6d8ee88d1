/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* multipart_test.c - what a form holds, the same however its bytes arrive; what is
 * malformed is refused. */
#include "core/http/multipart.h"
#include "t.h"

#include <stdlib.h>
#include <string.h>

#define TYPE "multipart/form-data; boundary=xyz"
#define D    "Content-Disposition: form-data; "

/* Everything that came, as text. */
struct heard {
    struct builder text;
    size_t refuse_after; /* bytes of data; 0: never */
};

static ll_rc heard_begin(void *context, const struct multipart_part *p)
{
    struct heard *h = context;

    builder_printf(&h->text, "<%.*s|%.*s|%.*s|%s>", TEXT_ARGS(p->name),
                   TEXT_ARGS(p->file_name), TEXT_ARGS(p->type),
                   p->is_file ? "file" : "field");
    return LL_OK;
}

static ll_rc heard_data(void *context, const char *bytes, size_t n)
{
    struct heard *h = context;

    builder_add(&h->text, bytes, n);
    return h->refuse_after > 0 && h->text.len >= h->refuse_after ? LL_EFULL : LL_OK;
}

static ll_rc heard_end(void *context)
{
    struct heard *h = context;

    builder_string(&h->text, "</>");
    return LL_OK;
}

static const struct multipart_sink sink = {heard_begin, heard_data, heard_end};

/* Feed in pieces; true when it was accepted whole. */
static bool feed(const char *type, struct text body, size_t piece, struct builder *out)
{
    struct heard h = {.text = *out};
    struct multipart m;
    ll_rc rc = multipart_init(&m, text_of(type));
    bool is_complete;

    while (rc == LL_OK && body.len > 0) {
        size_t n = body.len < piece ? body.len : piece;

        rc = multipart_feed(&m, (struct text){body.ptr, n}, &sink, &h);
        body.ptr += n;
        body.len -= n;
    }
    is_complete = rc == LL_OK && multipart_is_complete(&m);
    multipart_fini(&m);
    *out = h.text;
    return is_complete;
}

/* Whole, byte by byte and in threes. */
static void check_form_of(const char *type, struct text body, const char *wanted)
{
    static const size_t pieces[] = {1 << 20, 1, 3};

    for (size_t i = 0; i < LL_LENGTH(pieces); i++) {
        struct builder out;
        bool accepted;

        builder_init(&out, 1 << 20);
        accepted = feed(type, body, pieces[i], &out);
        OK(accepted == (wanted != NULL));
        if (wanted != NULL) OK(text_is(builder_view(&out), wanted));
        builder_fini(&out);
    }
}

static void check_form(const char *body, const char *wanted)
{
    check_form_of(TYPE, text_of(body), wanted);
}

static void fields_and_files_are_told_apart(void)
{
    check_form("--xyz\r\n" D "name=\"a\"\r\n\r\none\r\n"
               "--xyz\r\n" D "name=b; filename=\"c d.png\"\r\n"
               "Content-Type: image/png\r\n\r\ntwo\r\n--xyz--\r\n",
               "<a|||field>one</><b|c d.png|image/png|file>two</>");
    check_form("--xyz\r\n" D "name=\"a\"\r\nContent-Type: application/octet-stream; x=y"
               "\r\n\r\none\r\n--xyz--",
               "<a||application/octet-stream; x=y|file>one</>");
    check_form("--xyz\r\n" D "name=\"a\"; filename=\"\"\r\n\r\none\r\n--xyz--",
               "<a|||field>one</>");
    check_form("--xyz\r\n" D "name=\"a\"; filename*=UTF-8''%41\r\n\r\n1\r\n--xyz--",
               "<a|||file>1</>");
}

static void what_is_around_and_between_is_passed_over(void)
{
    check_form("--xyz--", "");
    check_form("\r\n--xyz--", "");
    check_form("hello\r\n--xyz \t\r\n" D "name=a\r\n\r\n1\r\n--xyz--bye\r\n--xyz\r\n",
               "<a|||field>1</>");
    check_form("--xyz\r\nX-Other: 1\r\ncontent-DISPOSITION:form-data ;NAME = a\r\n\r\n",
               NULL); /* no spaces around = */
    check_form("--xyz\r\nX-Other: 1\r\ncontent-DISPOSITION:form-data ; NAME=a;\r\n\r\n"
               "1\r\n--xyz--",
               "<a|||field>1</>");
}

static void data_may_hold_what_looks_like_a_delimiter(void)
{
    check_form("--xyz\r\n" D "name=a\r\n\r\n--xyz\r\n\r\r\n-\r\n--xy\r\n--xz\n--xyz\r"
               "\r\n--xyz--",
               "<a|||field>--xyz\r\n\r\r\n-\r\n--xy\r\n--xz\n--xyz\r</>");
    check_form("--xyz\r\n" D "name=a\r\n\r\n\r\n--xyz--", "<a|||field></>");
    check_form("--xyz\r\n" D "name=a\r\n\r\n\r\n\r\n--xyz--", "<a|||field>\r\n</>");
}

static void names_are_unquoted(void)
{
    check_form("--xyz\r\n" D "name=\"a\\\"b\\\\c\"; filename=\"C:\\dir\\f.txt\"\r\n\r\n"
               "\r\n--xyz--",
               "<a\"b\\c|C:\\dir\\f.txt||file></>");
    check_form("--xyz\r\n" D "name=\"authChain[0][payload]\"\r\n\r\n\r\n--xyz--",
               "<authChain[0][payload]|||field></>");
    check_form("--xyz\r\n" D "name=\"\xc3\xbc;=\"\r\n\r\n\r\n--xyz--",
               "<\xc3\xbc;=|||field></>");
}

static void what_is_malformed_is_refused(void)
{
    static const char *const bad[] = {
        "",
        "--xyz",
        "--xyz\r\n",
        "--xyz-",
        "--xyz-x",
        "--xyzz\r\n" D "name=a\r\n\r\n1\r\n--xyz--",
        "--xyz\n" D "name=a\r\n\r\n1\r\n--xyz--",
        "--xyz\r\n" D "name=a\r\n\r\n1",
        "--xyz\r\n" D "name=a\r\n\r\n1\r\n--xyz",
        "--xyz\r\n" D "name=a\r\n\r\n1\r\n--xyz\r\n",
        "--xyz\r\n\r\n1\r\n--xyz--",
        "--xyz\r\nContent-Type: text/plain\r\n\r\n1\r\n--xyz--",
        "--xyz\r\n" D "\r\n\r\n1\r\n--xyz--",
        "--xyz\r\n" D "name=\"\"\r\n\r\n1\r\n--xyz--",
        "--xyz\r\n" D "name=\"a\r\n\r\n1\r\n--xyz--",
        "--xyz\r\n" D "name=a; name=b\r\n\r\n1\r\n--xyz--",
        "--xyz\r\n" D "name=a x\r\n\r\n1\r\n--xyz--",
        "--xyz\r\n" D "name=\"\xff\"\r\n\r\n1\r\n--xyz--",
        "--xyz\r\n" D "name=a\r\n" D "name=b\r\n\r\n1\r\n--xyz--",
        "--xyz\r\n" D "name=a\r\n folded: 1\r\n\r\n1\r\n--xyz--",
        "--xyz\r\n" D "name=a\r\nno colon\r\n\r\n1\r\n--xyz--",
        "--xyz\r\n" D "name=a\nX: 1\r\n\r\n1\r\n--xyz--",
        "--xyz\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--xyz--",
    };

    for (size_t i = 0; i < LL_LENGTH(bad); i++) check_form(bad[i], NULL);
    check_form_of(TYPE, TEXT("--xyz\r\n" D "name=\"a\0b\"\r\n\r\n1\r\n--xyz--"), NULL);
}

/* A head, a name and a file's name that are as large as they may be, and one byte more.
 */
static void sizes_are_bounded(void)
{
    for (size_t more = 0; more < 2; more++) {
        struct builder body, wanted;
        size_t start;

        builder_init(&body, 1 << 20);
        builder_init(&wanted, 1 << 20);
        builder_string(&body, "--xyz\r\n");
        start = body.len;
        builder_string(&body, D "name=a\r\nX: ");
        while (body.len - start < MULTIPART_HEAD - 4 + more) builder_char(&body, 'x');
        builder_string(&body, "\r\n\r\n1\r\n--xyz--");
        check_form_of(TYPE, builder_view(&body), more ? NULL : "<a|||field>1</>");
        builder_reset(&body);
        builder_string(&body, "--xyz\r\n" D "name=");
        builder_char(&wanted, '<');
        for (size_t i = 0; i < MULTIPART_NAME + more; i++) {
            builder_char(&body, 'n');
            builder_char(&wanted, 'n');
        }
        builder_string(&body, "\r\n\r\n1\r\n--xyz--");
        builder_string(&wanted, "|||field>1</>");
        check_form_of(TYPE, builder_view(&body), more ? NULL : builder_view(&wanted).ptr);
        builder_fini(&body);
        builder_fini(&wanted);
    }
}

static void the_content_type_names_the_boundary(void)
{
    static const char seventy[] =
        "1234567890123456789012345678901234567890123456789012345678901234567890";
    static const struct {
        const char *type;
        ll_rc rc;
    } rows[] = {
        {"multipart/form-data; boundary=xyz", LL_OK},
        {"Multipart/Form-Data;BOUNDARY=\"a b\"; charset=utf-8", LL_OK},
        {"multipart/form-data; charset=utf-8; boundary=----WebKitFormBoundary7M", LL_OK},
        {"multipart/form-data", LL_EINVAL},
        {"multipart/form-data; boundary=", LL_EINVAL},
        {"multipart/form-data; boundary=\"\"", LL_EINVAL},
        {"multipart/form-data; boundary=\"a", LL_EINVAL},
        {"multipart/form-data; boundary=\"a \"", LL_EINVAL},
        {"multipart/form-data; boundary=a; boundary=b", LL_EINVAL},
        {"multipart/form-data; boundary=a\xc3\xbc", LL_EINVAL},
        {"multipart/form-data; boundary=a boundary=b", LL_EINVAL},
        {"multipart/form-data, boundary=a", LL_ENOTFOUND},
        {"multipart/mixed; boundary=a", LL_ENOTFOUND},
        {"application/json", LL_ENOTFOUND},
        {"", LL_ENOTFOUND},
    };
    struct multipart m;
    char type[256];

    for (size_t i = 0; i < LL_LENGTH(rows); i++) {
        OK(multipart_init(&m, text_of(rows[i].type)) == rows[i].rc);
        multipart_fini(&m);
    }
    snprintf(type, sizeof(type), "multipart/form-data; boundary=%s", seventy);
    OK(multipart_init(&m, text_of(type)) == LL_OK);
    multipart_fini(&m);
    snprintf(type, sizeof(type), "multipart/form-data; boundary=%s1", seventy);
    OK(multipart_init(&m, text_of(type)) == LL_EINVAL);
    multipart_fini(&m);
}

static void what_the_sink_says_ends_it(void)
{
    struct heard h = {.refuse_after = 20};
    struct multipart m;

    builder_init(&h.text, 1024);
    OK(multipart_init(&m, text_of(TYPE)) == LL_OK);
    OK(multipart_feed(&m,
                      TEXT("--xyz\r\n" D "name=a\r\n\r\n12345678901234567890\r\n--xyz--"),
                      &sink, &h) == LL_EFULL);
    multipart_fini(&m);
    builder_fini(&h.text);
}

/* Data of CR, LF, dashes and the boundary's letters, cut anywhere. */
static void random_forms_come_out_as_they_went_in(void)
{
    for (unsigned seed = 1; seed <= 300; seed++) {
        struct builder body, wanted, out;

        srand(seed);
        builder_init(&body, 1 << 16);
        builder_init(&wanted, 1 << 16);
        builder_init(&out, 1 << 16);
        for (int parts = rand() % 4; parts > 0; parts--) {
            builder_string(&body, "\r\n--xyz\r\n" D "name=a\r\n\r\n");
            builder_string(&wanted, "<a|||field>");
            for (int n = rand() % 60; n > 0; n--) {
                char c = "\r\n--xyZ"[rand() % 7]; /* never the whole boundary */

                builder_char(&body, c);
                builder_char(&wanted, c);
            }
            builder_string(&wanted, "</>");
        }
        builder_string(&body, "\r\n--xyz--");
        OK(feed(TYPE, builder_view(&body), (size_t)(1 + rand() % 9), &out));
        OK(text_equal(builder_view(&out), builder_view(&wanted)));
        builder_fini(&body);
        builder_fini(&wanted);
        builder_fini(&out);
    }
}

int main(void)
{
    RUN(fields_and_files_are_told_apart);
    RUN(what_is_around_and_between_is_passed_over);
    RUN(data_may_hold_what_looks_like_a_delimiter);
    RUN(names_are_unquoted);
    RUN(what_is_malformed_is_refused);
    RUN(sizes_are_bounded);
    RUN(the_content_type_names_the_boundary);
    RUN(what_the_sink_says_ends_it);
    RUN(random_forms_come_out_as_they_went_in);
    return t_done();
}
