/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* sql_lex.h - the tokens of a projection's SQL, as Postgres would cut them, plus
 * `:name` parameters.
 *
 * It knows strings ('' and E''), quoted names, dollar quotes, nested comments, numbers,
 * `::`, and nothing of grammar. What it refuses, Postgres would refuse or we do not
 * want: positional parameters, U& strings, control characters, quotes without end.
 */
#ifndef LL_SQL_LEX_H
#define LL_SQL_LEX_H

#include "core/base/text.h"

enum sql_kind {
    SQL_WORD,      /* keyword or unquoted name */
    SQL_QUOTED,    /* "name", with its quotes */
    SQL_STRING,    /* any string constant, with its quotes */
    SQL_NUMBER,    /* 1, 1.5, 1e-3 */
    SQL_PARAMETER, /* :name, :event.name or :blob.name, with its colon */
    SQL_SYMBOL,    /* one character, or `::` */
    SQL_COMMENT,   /* a whole line `-- ...`; other comments are space */
    SQL_END
};

struct sql_token {
    enum sql_kind kind;
    struct text text; /* a view into the file */
    unsigned line;
    char space; /* what stood before it: 0, ' ' or '\n' */
};

struct sql_lexer {
    const char *at, *end;
    unsigned line;
    bool line_start; /* only space since the line began */
};

void sql_lexer_init(struct sql_lexer *l, struct text file);
/* The next token; SQL_END for ever once the file is through. LL_EINVAL says what is
 * wrong on `l->line`. */
ll_rc sql_lexer_next(struct sql_lexer *l, struct sql_token *out,
                     struct ll_error *err) LL_MUST_CHECK;

/* Keywords and unquoted names are compared as Postgres does, without case. */
bool sql_token_is_word(const struct sql_token *t, const char *word);
bool sql_token_is_symbol(const struct sql_token *t, char c);

#endif
