/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* badges_admin.h - what administrators do to badges (contract: badges, 3.3).
 *
 * The token is the setting service.badges.admin-token; without it the routes do not
 * exist. DELETE exists only where service.badges.environment is dev or test.
 */
#ifndef LL_BADGES_ADMIN_H
#define LL_BADGES_ADMIN_H

#include "core/http/http.h"

enum { BADGES_BACKFILL_BYTES = 8 * 1024 * 1024 };

extern const char badges_backfill_body[]; /* JSON Schema of its body */

void badges_post_backfill(struct http_request *r);
void badges_get_progress(struct http_request *r);
void badges_delete_progress(struct http_request *r);

/* {"message","details":{"stack"}}, the shape that back-fills are refused in. */
void badges_refuse_backfill(struct http_request *r, const char *message, int status,
                            struct text why);

#endif
