/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_model.h - the read model of deployments as jobs see it, and their way onto the
 * log. Everything here blocks; a model belongs to one thread.
 */
#ifndef LL_CONTENT_MODEL_H
#define LL_CONTENT_MODEL_H

#include "core/base/json.h"
#include "core/projection/projection.h"
#include "core/react/job.h"

struct content_model;

/* Connect, and begin a transaction that sees one state from here on. LL_ENOTFOUND: no
 * generation of this binary is live yet, come again later. */
ll_rc content_model_open(const struct react_context *context, struct content_model **out,
                         struct ll_error *err) LL_MUST_CHECK;
void content_model_close(struct content_model *m);

struct content_answer {
    bool is_found;
    char *body; /* the caller's to free; NULL when nothing was found */
};

/* A query of projections/content/queries.sql; `values` in the order of its parameters. */
ll_rc content_model_ask(struct content_model *m, const char *query,
                        const char *const *values, struct content_answer *out,
                        struct ll_error *err) LL_MUST_CHECK;
/* The same, of a query that always finds a JSON value. The caller owns *out. */
ll_rc content_model_ask_json(struct content_model *m, const char *query,
                             const char *const *values, json_t **out,
                             struct ll_error *err) LL_MUST_CHECK;
/* The sequence on topic `content` that the model has come to. */
ll_rc content_model_sequence(struct content_model *m, uint64_t *out,
                             struct ll_error *err) LL_MUST_CHECK;

/* Append an event of topic `content`, once for ever for a `key`. On a connection of its
 * own: what the model sees stays as it is. */
ll_rc content_model_append(struct content_model *m, const char *type, const json_t *data,
                           struct text key, struct ll_error *err) LL_MUST_CHECK;

#endif
