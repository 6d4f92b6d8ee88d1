/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* notifications_handlers.h - the handlers that the table of notifications.c names, by
 * subject: the inbox itself, what its owner chose, and what the processor brings. */
#ifndef LL_NOTIFICATIONS_HANDLERS_H
#define LL_NOTIFICATIONS_HANDLERS_H

#include "core/http/http.h"

/* notifications_inbox.c */
void notifications_get_inbox(struct http_request *r);
void notifications_put_read(struct http_request *r);

/* notifications_choice.c */
void notifications_get_subscription(struct http_request *r);
void notifications_put_subscription(struct http_request *r);
void notifications_post_opt_out(struct http_request *r);
void notifications_get_opt_out(struct http_request *r);
void notifications_delete_opt_out(struct http_request *r);

/* notifications_intake.c */
void notifications_post(struct http_request *r);

/* ---- what they share (notifications_inbox.c) ---- */

/* The body as JSON; the caller owns it. NULL: refused already. */
json_t *notifications_body(struct http_request *r);
/* A query's parameter. */
struct http_query_value notifications_value(const char *name, struct text value);
/* Make the decision's one event of `data`, which is released. */
void notifications_decide(struct http_request *r, const char *type, json_t *data,
                          struct http_decision *out);

#endif
