/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* notifications_refusal.h - how the notifications service says no (contract:
 * notifications, 2, 3 and 3.4). */
#ifndef LL_NOTIFICATIONS_REFUSAL_H
#define LL_NOTIFICATIONS_REFUSAL_H

#include "core/http/http.h"

/* 400 {"error":"Bad request","message"}. */
void notifications_refuse_input(struct http_request *r, const char *message);
/* {"ok":false,"message"}: the shape of what is checked against a schema. */
void notifications_refuse_body(struct http_request *r, int status, const char *message);
/* The service's shape for whatever core refuses (http_service.refuse). */
void notifications_refuse(struct http_request *r, enum http_refusal why, int status,
                          struct text message);

#endif
