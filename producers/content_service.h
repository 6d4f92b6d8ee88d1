/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_service.h - what the files of the deployments service share: what a worker
 * keeps, refusals, and how values get into queries.
 */
#ifndef LL_CONTENT_SERVICE_H
#define LL_CONTENT_SERVICE_H

#include "core/http/http.h"
#include "producers/content/entity_limiter.h"
#include "producers/content/entity_rules.h"

enum { CONTENT_LIST_MOST = 1000 }; /* ids, pointers, files in a request */

struct content_flight;

/* One a worker, on the loop's thread. */
struct content_state {
    struct entity_rules *rules;
    struct entity_limits limits;
    struct entity_limiter *limiter;
    struct content_flight *flights; /* deployments that are being decided */
    int64_t started_ms;
};

struct content_state *content_state(const struct http_request *r);

/* {"error":"..."} */
void content_refuse_as(struct http_request *r, int status, const char *fmt, ...)
    LL_PRINTF(3, 4);

struct http_query_value content_text(const char *name, struct text value);
struct http_query_value content_number(struct http_request *r, const char *name,
                                       int64_t n);
struct http_query_value content_flag(const char *name, bool is_set);
/* A list as the JSON array that queries take. */
struct http_query_value content_list(struct http_request *r, const char *name,
                                     const struct text *items, size_t n);
/* Lower case as JavaScript has it, in the request's arena. */
struct text content_lower(struct http_request *r, struct text t);
/* The integer that a text begins with; false when it begins with none. Saturates. */
bool content_leading_integer(struct text t, int64_t *out);
/* A query parameter read so; `otherwise` when absent or unreadable. */
int64_t content_number_parameter(struct http_request *r, const char *name,
                                 int64_t otherwise);

void content_refuse_type(struct http_request *r, struct text type);

/* Handlers in files of their own. */
void content_post_active(struct http_request *r); /* content_entities.c */
void content_get_entities(struct http_request *r);
void content_get_type_active(struct http_request *r);
void content_get_collection(struct http_request *r);
void content_post_entity(struct http_request *r);     /* content_deploy.c */
void content_get_deployments(struct http_request *r); /* content_history.c */
void content_get_pointer_changes(struct http_request *r);
void content_get_thumbnail(struct http_request *r); /* content_items.c */
void content_get_image(struct http_request *r);
void content_get_erc721(struct http_request *r);
void content_get_erc721_emission(struct http_request *r);
void content_get_content(struct http_request *r); /* content_files.c */
void content_get_available(struct http_request *r);

#endif
