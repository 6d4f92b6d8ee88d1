/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* sql_file_fuzz.c - what parses renders to text that cuts into the same tokens: no
 * string, comment or parameter leaks into another. The first byte chooses the kind. */
#include "core/projection/sql_file.h"

#include <string.h>

/* A statement without parameters comes out token by token as it went in. */
static void check_statement(const struct sql_statement *s)
{
    struct builder text;
    struct sql_lexer lexer;

    for (size_t i = 0; i < s->token_count; i++)
        if (s->tokens[i].kind == SQL_PARAMETER) return;
    builder_init(&text, 8 * SQL_FILE_MAX);
    for (const char *c = s->sql; *c != '\0'; c++)
        if (*c != SQL_SCHEMA_MARK) builder_char(&text, *c);
    LL_CHECK(!text.full);
    sql_lexer_init(&lexer, builder_view(&text));
    for (size_t i = 0; i < s->token_count; i++) {
        struct sql_token t;

        LL_CHECK(sql_lexer_next(&lexer, &t, NULL) == LL_OK);
        LL_CHECK(s->tokens[i].kind == t.kind && text_equal(s->tokens[i].text, t.text));
    }
    builder_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct sql_file *schema;
    struct sql_file *f;

    if (schema == NULL)
        LL_CHECK(sql_file_parse(SQL_FILE_SCHEMA, "schema.sql",
                                TEXT("create table t (a int); create table u (a int);"),
                                NULL, &schema, NULL) == LL_OK);
    if (len == 0) return 0;
    if (sql_file_parse((enum sql_file_kind)(data[0] % 3), "f.sql",
                       (struct text){(const char *)data + 1, len - 1},
                       data[0] % 3 == 0 ? NULL : schema, &f, NULL) != LL_OK)
        return 0;
    for (size_t i = 0; i < f->section_count; i++)
        for (size_t k = 0; k < f->sections[i].statement_count; k++)
            check_statement(&f->sections[i].statements[k]);
    sql_file_free(f);
    return 0;
}
