/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* openapi.h - the description of what is served, made from the route tables. */
#ifndef LL_OPENAPI_H
#define LL_OPENAPI_H

#include "core/http/router.h"

/* An OpenAPI 3.1 document of all routes, or of one service's when `only` is not NULL. */
void openapi_print(const struct router *router, const struct http_service *only,
                   struct builder *out);

#endif
