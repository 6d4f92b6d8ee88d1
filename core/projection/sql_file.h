/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* sql_file.h - the three files of a projection, cut into sections and statements.
 *
 * A section begins at a line `-- on <event type>` (apply.sql) or `-- query <name>(<param>
 * <type>, ...) [volatile]` (queries.sql); schema.sql is one section without a name.
 * Several `-- on` lines with no statement between them share the statements that follow.
 * Any other comment is a comment, but a line that begins with `-- on ` or `-- query `
 * must be a section's. A statement ends with `;`; a query's section has exactly one.
 *
 * A statement's text is what Postgres prepares: comments gone, `:name` turned to `$n`
 * (`$n::type` in queries), and SQL_SCHEMA_MARK before each table of schema.sql where a
 * statement names it, to be replaced by the generation's schema. Files come with the
 * binary, yet are parsed as a stranger's: every limit is a named one, every refusal names
 * file and line.
 */
#ifndef LL_SQL_FILE_H
#define LL_SQL_FILE_H

#include "core/base/arena.h"
#include "core/projection/sql_lex.h"

enum {
    SQL_FILE_MAX = 128 * 1024, /* bytes */
    SQL_SECTIONS = 256,
    SQL_STATEMENTS = 32, /* in a section of apply.sql; schema.sql may have 256 */
    SQL_PARAMETERS = 32, /* of a statement or a query */
    SQL_TABLES = 128,    /* tables and views of schema.sql */
    SQL_NAME = 64        /* bytes of a name or type, NUL included */
};

#define SQL_SCHEMA_MARK '\x01' /* no file may hold it */

enum sql_file_kind { SQL_FILE_SCHEMA, SQL_FILE_APPLY, SQL_FILE_QUERIES };

struct sql_statement {
    const char *sql; /* NUL-terminated */
    unsigned line;   /* of its first token */
    const struct sql_token *tokens;
    size_t token_count; /* without the `;` */
    size_t parameter_count;
    const char *parameters[SQL_PARAMETERS]; /* $1 is the first; distinct */
};

struct sql_section {
    const char *name; /* "social.friendship-requested"; "" in schema.sql */
    unsigned line;
    bool is_volatile;
    size_t declared_count; /* a query's parameters, as its statement's, and their types */
    const char *declared[SQL_PARAMETERS], *types[SQL_PARAMETERS];
    struct sql_statement *statements;
    size_t statement_count;
};

struct sql_file {
    enum sql_file_kind kind;
    const char *path;
    struct sql_section *sections;
    size_t section_count;
    const char **tables; /* of schema.sql: what its statements create */
    size_t table_count;
    struct sql_token *tokens;
    struct arena arena;
};

/* Parse `content`, which must outlive the file, as must `path`. `schema` is schema.sql,
 * already parsed (NULL for that file itself). LL_EINVAL: "path:line: why". Linted too
 * (sql_lint.h). */
ll_rc sql_file_parse(enum sql_file_kind kind, const char *path, struct text content,
                     const struct sql_file *schema, struct sql_file **out,
                     struct ll_error *err) LL_MUST_CHECK;
void sql_file_free(struct sql_file *f);

/* A table that schema.sql does not make and that may be named all the same: the runner's
 * own. `name` must outlive the file. */
void sql_file_add_table(struct sql_file *schema, const char *name);
bool sql_file_has_table(const struct sql_file *schema, struct text name);

/* A statement's text for one schema. */
void sql_expand(const char *sql, const char *schema, struct builder *out);

#endif
