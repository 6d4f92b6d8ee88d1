/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* bearer.h - routes for those who know a token: intakes and administration.
 *
 * The token is a service's setting (`service.badges.admin-token`). Where it is not set,
 * the route does not exist.
 */
#ifndef LL_BEARER_H
#define LL_BEARER_H

#include "core/http/http.h"

enum { BEARER_TOKEN = 512 }; /* bytes of a token, at most */

/* Hold the request's `Authorization: Bearer <token>` against that setting. False: it was
 * refused already through refuse(): 404 where there is no token, 401 "Authorization
 * header is missing" or "Invalid authorization header" as HTTP_REFUSED_AUTH. */
bool http_bearer(struct http_request *r, const char *setting);

/* Equal, in a time that does not tell where they differ. */
bool bearer_equal(struct text given, struct text wanted);

#endif
