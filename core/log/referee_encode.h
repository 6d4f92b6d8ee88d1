/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* referee_encode.h - what append and bulk append share: arguments of a SQL function as
 * array literals, in memory of their own. Private to the referee. */
#ifndef LL_REFEREE_ENCODE_H
#define LL_REFEREE_ENCODE_H

#include "core/log/referee.h"

enum { COLUMNS_MAX = 32 };

/* Array arguments, in the order of the function's parameters. */
struct columns {
    size_t count;
    struct builder column[COLUMNS_MAX];
};

void columns_init(struct columns *c, size_t count);
void columns_fini(struct columns *c);
/* Add one element to one array. */
void columns_integer(struct columns *c, size_t column, int64_t value);
void columns_uuid(struct columns *c, size_t column, const struct uuid *value);
void columns_uuid_or_null(struct columns *c, size_t column, const struct uuid *value);
void columns_text(struct columns *c, size_t column, struct text value);
void columns_text_or_null(struct columns *c, size_t column, struct text value);
/* ", " and a literal for each; what does not begin as an array is written as it is. */
void columns_literals(struct columns *c, struct builder *sql);

/* The topics and partitions that a call names: elsewhere in it they are numbers, from 1.
 */
struct partition_name {
    size_t topic;
    uint32_t number;
};

struct named {
    const char *topics[TOPICS_MAX];
    size_t topic_count;
    struct partition_name *partitions;
    size_t count, room;
};

enum named_column { NAMED_TOPIC, NAMED_NUMBER, NAMED_COLUMNS };

void named_fini(struct named *n);
/* Their numbers; added when they are new. `topic` must live as long. */
size_t named_topic(struct named *n, const char *topic);
size_t named_partition(struct named *n, const char *topic, uint32_t number);
/* The topics as one column, the partitions as two from `first` on. */
void named_columns(const struct named *n, struct columns *c, size_t topics, size_t first);

/* Record why an append failed: LL_EUNKNOWN where the connection is lost, LL_ETIMEOUT
 * where the lock was not had in time, else LL_EDATABASE. */
ll_rc referee_fail(PGconn *connection, const PGresult *result, const char *what,
                   struct ll_error *err);

#endif
