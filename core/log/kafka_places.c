/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* kafka_places.c - see kafka_places.h. */
#include "core/log/kafka_places.h"

#include "core/pg/connect.h"

#include <inttypes.h>
#include <stdlib.h>

static uint64_t number(const PGresult *result, int row, int column)
{
    return strtoull(PQgetvalue(result, row, column), NULL, 10);
}

static void read_known(const PGresult *result, int row, struct kafka_known *out)
{
    *out = (struct kafka_known){
        .id = (int32_t)number(result, row, 0),
        .place = {.sequence = number(result, row, 1),
                  .offset = (int64_t)number(result, row, 3),
                  .epoch = number(result, row, 4),
                  .time = (int64_t)number(result, row, 10)},
        .claimed = number(result, row, 5),
        .agreed = number(result, row, 7),
    };
    uuid_parse(text_of(PQgetvalue(result, row, 2)), &out->place.id);
    uuid_parse(text_of(PQgetvalue(result, row, 6)), &out->claimant);
    uuid_parse(text_of(PQgetvalue(result, row, 8)), &out->was);
    uuid_parse(text_of(PQgetvalue(result, row, 9)), &out->lineage);
}

bool kafka_is_foreign(const struct kafka_known *known, const struct kafka_envelope *fence)
{
    if (uuid_is_nil(&known->was) || fence->epoch <= known->agreed) return false;
    if (!uuid_is_nil(&fence->lineage) && !uuid_equal(&fence->lineage, &known->lineage))
        return !uuid_equal(&fence->lineage, &known->was);
    if (fence->epoch != known->claimed) return fence->epoch > known->claimed;
    return !uuid_is_nil(&known->claimant) && !uuid_equal(&fence->relay, &known->claimant);
}

ll_rc kafka_places_find(PGconn *connection, const char *topic, const uint32_t *numbers,
                        const uint64_t *sequences, size_t n, struct kafka_known *out,
                        struct ll_error *err)
{
    struct builder n_array, s_array;
    const char *values[3] = {topic};
    PGresult *result;
    ll_rc rc;

    builder_init(&n_array, 64 * 1024);
    builder_init(&s_array, 64 * 1024);
    for (size_t i = 0; i < n; i++) {
        builder_printf(&n_array, "%c%" PRIu32, i == 0 ? '{' : ',', numbers[i]);
        builder_printf(&s_array, "%c%" PRIu64, i == 0 ? '{' : ',', sequences[i]);
    }
    builder_char(&n_array, '}');
    builder_char(&s_array, '}');
    values[1] = builder_view(&n_array).ptr;
    values[2] = builder_view(&s_array).ptr;
    rc = pg_query(connection,
                  "select partition, sequence, id, place, epoch, claimed, claimant,"
                  " agreed, was, lineage, time"
                  " from landlog.places($1, $2::int[], $3::bigint[])",
                  values, 3, &result, err);
    builder_fini(&n_array);
    builder_fini(&s_array);
    if (rc != LL_OK) return rc;
    if ((size_t)PQntuples(result) != n)
        rc = ll_fail(err, LL_EBROKEN, "topic \"%s\": Postgres knows %d of %zu partitions",
                     topic, PQntuples(result), n);
    for (size_t i = 0; i < n && rc == LL_OK; i++) read_known(result, (int)i, &out[i]);
    PQclear(result);
    return rc;
}
