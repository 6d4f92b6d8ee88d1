/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* handler.h - a projection's inside: what is done on each event type.
 *
 * For the files of this room: projection.c makes it, apply.c runs it.
 */
#ifndef LL_HANDLER_H
#define LL_HANDLER_H

#include "core/projection/projection.h"
#include "core/projection/sql_file.h"

#include <libpq-fe.h>

enum { HANDLER_MEMBERS = 64, PROJECTION_TOPICS = 16 };

/* The built-in types that binding knows in binary. */
enum {
    TYPE_BOOL = 16,
    TYPE_INT8 = 20,
    TYPE_TEXT = 25,
    TYPE_FLOAT8 = 701,
    TYPE_VARCHAR = 1043,
    TYPE_UUID = 2950
};

enum handler_source {
    SOURCE_MEMBER,
    SOURCE_BLOB, /* the text of the blob that a member names */
    SOURCE_TIME,
    SOURCE_ID,
    SOURCE_SEQUENCE,
    SOURCE_SUBJECT,
    SOURCE_KEY,
    SOURCE_TOPIC,
    SOURCE_PARTITION,
    SOURCE_TYPE
};

struct handler_parameter {
    enum handler_source source;
    size_t member; /* index into the handler's members */
    Oid type;      /* as declared on preparing; 0 leaves it to Postgres */
};

struct handler_statement {
    const struct sql_statement *text;
    struct handler_parameter parameters[SQL_PARAMETERS];
};

struct handler {
    struct text type; /* "social.friendship-requested" */
    size_t member_count;
    struct text members[HANDLER_MEMBERS]; /* of the data, that some statement binds */
    size_t statement_count;
    struct handler_statement *statements;
};

struct projection {
    char name[PROJECTION_NAME];
    bool is_reactor;
    char paths[3][PROJECTION_NAME + 32]; /* by sql_file_kind */
    const struct registry *registry;
    struct sql_file *files[3];
    size_t handler_count;
    struct handler *handlers; /* in the order of apply.sql's sections */
    size_t topic_count;
    const struct topic *topics[PROJECTION_TOPICS];
    size_t query_count;
    struct projection_query *queries; /* in the order of queries.sql */
    struct blob_store *blobs;         /* NULL: none given; somebody else's */
    bool needs_blobs;                 /* some statement binds :blob.<member> */
    struct uuid identity;
};

/* NULL when this projection does nothing on events of that type. */
const struct handler *projection_handler(const struct projection *p, struct text type);

#endif
