/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* client.h - people who sign requests, and one connection to send them on. A client
 * belongs to one thread. */
#ifndef LL_CLIENT_H
#define LL_CLIENT_H

#include "core/auth/identity.h"

#include <curl/curl.h>

struct person {
    struct ethereum_key key;
    struct identity identity;
    char address[ETHEREUM_ADDRESS_TEXT];
};

void person_new(struct person *p);

struct client {
    CURL *curl;
    const char *url;
    struct builder body; /* of the last answer */
    char position[2200]; /* Landlog-Position of the last answer; "" when it had none */
};

struct client_request {
    const struct person *who; /* NULL: unsigned */
    const char *method, *path, *body;
    const char *key;      /* Idempotency-Key; NULL: none */
    const char *position; /* Landlog-Position; NULL: none */
    const char *bearer;   /* the token of Authorization; NULL: none */
    const char *type;     /* Content-Type; NULL: a form's */
    const char *metadata; /* what is signed with the rest; NULL: "{}" */
    bool is_legacy;       /* all lower case is signed, and the metadata sent as it is */
    int64_t skew_ms;      /* added to the signed timestamp */
    bool forged;          /* signed by the right key over another path */
};

void client_init(struct client *c, const char *url);
void client_fini(struct client *c);
/* The status, 0 when no answer came. */
long client_send(struct client *c, const struct client_request *q);
/* POST a form, unsigned. */
long client_send_form(struct client *c, const char *path, curl_mime *form);
/* GET without a signature. */
long client_get(struct client *c, const char *path);

#endif
