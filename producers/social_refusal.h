/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* social_refusal.h - how the social service says no, and to whom before it looks further
 * (contract: social, 2.2 and 3.1). */
#ifndef LL_SOCIAL_REFUSAL_H
#define LL_SOCIAL_REFUSAL_H

#include "core/http/http.h"

/* {"error","message"} with this status. */
void social_refuse_as(struct http_request *r, int status, const char *error,
                      struct text message);
/* The service's shape for whatever core refuses (http_service.refuse). */
void social_refuse(struct http_request *r, enum http_refusal why, int status,
                   struct text message);
/* No scene may act for a person (http_service.accepts_metadata). */
bool social_accepts_metadata(const json_t *metadata);

#endif
