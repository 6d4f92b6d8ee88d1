/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* services.c - the services that this binary serves: one row each. */
#include "core/http/http.h"

extern const struct http_service badges_service;
extern const struct http_service content_service;
extern const struct http_service lambdas_service;
extern const struct http_service notifications_service;
extern const struct http_service platform_service;
extern const struct http_service social_service;

/* One a line, so that two changes do not meet. */
/* clang-format off */
const struct http_service *const http_services[] = {
    &badges_service,
    &content_service,
    &lambdas_service,
    &notifications_service,
    &platform_service,
    &social_service,
    NULL,
};
