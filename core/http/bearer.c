/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* bearer.c - see bearer.h. */
#include "core/http/bearer.h"

#include "core/http/request.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

/* Hashes are compared, so that not even the length is told. */
bool bearer_equal(struct text given, struct text wanted)
{
    unsigned char a[SHA256_DIGEST_LENGTH], b[SHA256_DIGEST_LENGTH];

    SHA256((const unsigned char *)(given.ptr ? given.ptr : ""), given.len, a);
    SHA256((const unsigned char *)(wanted.ptr ? wanted.ptr : ""), wanted.len, b);
    return CRYPTO_memcmp(a, b, sizeof(a)) == 0;
}

bool http_bearer(struct http_request *r, const char *setting)
{
    static const char scheme[] = "Bearer ";
    struct text given = http_header(r, "authorization");
    struct text wanted = text_of(settings_service_string(http_settings(r), setting, ""));

    if (wanted.len == 0) {
        request_refuse(r, HTTP_REFUSED_ROUTE, 404, "there is nothing at this path");
        return false;
    }
    if (given.len == 0) {
        request_refuse(r, HTTP_REFUSED_AUTH, 401, "Authorization header is missing");
        return false;
    }
    if (text_starts_with(given, scheme) && given.len <= sizeof(scheme) + BEARER_TOKEN &&
        bearer_equal((struct text){given.ptr + sizeof(scheme) - 1,
                                   given.len - (sizeof(scheme) - 1)},
                     wanted))
        return true;
    request_refuse(r, HTTP_REFUSED_AUTH, 401, "Invalid authorization header");
    return false;
}
