/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* http.h - what a service's handlers see: routes as tables, requests, answers, queries
 * and mutations. A handler runs on a fiber: it reads top to bottom, nothing it calls
 * blocks the loop, and every view it is given lives as long as the request.
 */
#ifndef LL_HTTP_H
#define LL_HTTP_H

#include "core/base/arena.h"
#include "core/base/json.h"
#include "core/base/settings.h"
#include "core/blob/blob_store.h"
#include "core/event/registry.h"
#include "core/log/referee.h"

struct http_request;

enum http_auth { HTTP_OPEN, HTTP_SIGNED, HTTP_SIGNED_OPTIONAL };

struct http_parameter {
    const char *name;
    const char *schema; /* JSON Schema of it, for openapi.json */
    const char *summary;
    bool required;
};

/* What a route takes as multipart/form-data. Each limit can be set by the operator as
 * service.<service>.upload-total and so on. */
struct http_upload {
    uint64_t total;       /* bytes of the body; upload-total */
    uint64_t file_count;  /* upload-file-count */
    uint64_t file_size;   /* bytes of each; upload-file-size */
    uint64_t field_count; /* upload-field-count */
    uint64_t field_size;  /* bytes of each; upload-field-size */
};

struct http_route {
    const char *method; /* "GET" answers HEAD too */
    const char *path;   /* behind the service's prefix: "/v1/friendships/:address" */
    bool is_absolute; /* the path is the whole path, at every host but a service's own */
    enum http_auth auth;
    void (*handle)(struct http_request *r);
    const char *summary;
    const struct http_parameter *parameters; /* of the query; ends with a NULL name */
    const char *request_schema;  /* JSON Schema text of the body; NULL: no body */
    const char *response_schema; /* of a 200; NULL: none */
    size_t body_limit;           /* bytes; 0: the setting http.body-limit */
    /* The body is a form whose files go to drafts of blobs while they come in; the
     * handler runs when all is there (see "uploads"). NULL: a body in memory. */
    const struct http_upload *upload;
};

/* Why core refuses a request: a service's errors may look different for each. */
enum http_refusal {
    HTTP_REFUSED_ROUTE,      /* 404, 405 */
    HTTP_REFUSED_AUTH,       /* 400, 401, 503: no acceptable signature */
    HTTP_REFUSED_INPUT,      /* 400, 412, 413, 415, 422: malformed or too large */
    HTTP_REFUSED_JSON,       /* 400: the body is not JSON; the message is the parser's */
    HTTP_REFUSED_SCHEMA,     /* 400: the body fails the route's schema; says where */
    HTTP_REFUSED_DECISION,   /* a mutation's decision, with its own status */
    HTTP_REFUSED_CONFLICT,   /* 409: others kept getting there first */
    HTTP_REFUSED_UNAVAILABLE /* 500, 503, 504, 507 */
};

/* How browsers may use a service. */
struct http_cors {
    bool reflects;       /* name the origin that asks, and let it send credentials */
    const char *headers; /* that may be sent; NULL: whatever the preflight names */
    unsigned max_age;    /* seconds */
};

struct http_service {
    const char *name; /* "social": also its prefix and virtual host */
    const char *title;
    const char *projection;           /* whose position its answers carry; NULL: none */
    const char *log;                  /* whose topics it appends to; NULL: its own */
    const struct http_route *routes;  /* ends with a NULL method */
    const char *const *metadata_keys; /* declared signed-fetch metadata; ends with NULL */
    bool (*accepts_metadata)(const json_t *metadata); /* NULL: all */
    uint64_t signature_window;                        /* ms */
    bool ignores_case; /* segments of its paths that are spelled out match in any case */
    const struct http_cors *cors; /* NULL: any origin, without credentials */
    /* What the service keeps in a worker: made when it starts, on the loop's thread.
     * NULL: nothing. */
    ll_rc (*start)(const struct settings *settings, void **state, struct ll_error *err);
    void (*stop)(void *state);
    /* Answer a request that was refused, in the service's error shape. */
    void (*refuse)(struct http_request *r, enum http_refusal why, int status,
                   struct text message);
};

/* Every service this binary has; ends with NULL (producers/services.c). */
extern const struct http_service *const http_services[];

struct http_identity {
    struct text address; /* lower case; empty: anonymous */
    struct text signer;  /* metadata.signer; empty: none */
    int64_t timestamp;   /* the signed x-identity-timestamp, ms */
};

/* ---- the request ---- */
struct arena *http_arena(struct http_request *r);
const struct registry *http_registry(const struct http_request *r);
const struct http_identity *http_identity(const struct http_request *r);
struct text http_path_parameter(const struct http_request *r, const char *name);
/* The last value of a query parameter, decoded; false when absent. */
bool http_query_parameter(const struct http_request *r, const char *name,
                          struct text *out);
/* All values of a parameter that is a list, however it is written: name=a&name=b,
 * name[]=a, name[0]=a. In the order of the query; those that are not well-formed are left
 * out. */
struct text *http_query_list(struct http_request *r, const char *name, size_t *n);
struct text http_header(const struct http_request *r,
                        const char *name); /* empty: absent */
struct text http_body(const struct http_request *r);

/* The body as JSON that satisfies the route's request_schema (compiled at start with
 * core/event/schema.h); the request owns it. NULL: the request was refused already. */
const json_t *http_json_body(struct http_request *r);
/* What the service's start() made. */
void *http_service_state(const struct http_request *r);
/* The log's incarnation, which a restore changes. */
const struct uuid *http_incarnation(const struct http_request *r);
/* The settings this process runs with. */
const struct settings *http_settings(const struct http_request *r);

/* ---- uploads: a route with an `upload` ----
 * Core has received and checked the whole form, or has refused it itself: 400 "Invalid
 * request: expected a multipart/form-data body" or "Invalid multipart/form-data request",
 * 413 with the limit, 507 without room. Of parts with the same name the last one counts.
 * What the handler does not keep is removed after it. http_body() is a short text that is
 * the same for the same form only, so that a mutation's key covers it. */
struct http_file {
    struct text part; /* the part's name */
    struct text name; /* the file's, as the client has it: for show, not for paths */
    struct text type; /* its Content-Type; empty: none */
    const struct cids *cids;
    struct blob_draft *draft; /* the request's */
};

/* The last field of that name; false when there is none. */
bool http_form_field(const struct http_request *r, const char *name, struct text *out);
/* The i-th field or file, in the order of the form; false past the last. */
bool http_form_field_at(const struct http_request *r, size_t i, struct text *name,
                        struct text *value);
const struct http_file *http_form_file_at(const struct http_request *r, size_t i);
/* Its bytes, before it is kept; the request's. False: refused already (413: larger than
 * `limit`). */
bool http_file_read(struct http_request *r, const struct http_file *file, size_t limit,
                    struct text *out);
/* Put these files in their places, durably, before the append. False: refused already
 * (507, 500). */
bool http_files_keep(struct http_request *r, const struct http_file *const *files,
                     size_t n, enum cid_form form);

/* ---- blobs ---- */
/* The process' store. Its functions block: call them in a job of http_offload(). */
struct blob_store *http_blobs(const struct http_request *r);
/* Run job(argument) on a thread of the pool and wait for it on this fiber. False: it did
 * not run and the request was refused (503). */
bool http_offload(struct http_request *r, void (*job)(void *), void *argument);
/* Answer with a blob (contract catalyst, 3.3): ranges, ETag, If-None-Match, HEAD, gzip,
 * never in memory. `sniff`: Content-Type from its first bytes, else
 * application/octet-stream. False: there is no such blob (or it is denied), and nothing
 * was answered. */
bool http_respond_blob(struct http_request *r, struct text name, bool sniff);

/* ---- the answer: exactly one a request ---- */
void http_add_header(struct http_request *r, const char *name, const char *value);
void http_respond(struct http_request *r, int status, const char *content_type,
                  struct text body);
void http_respond_json(struct http_request *r, int status, struct text body);

/* ---- reading: one statement, one snapshot ---- */
struct http_query_value {
    const char *name;
    struct text value;
    bool is_null;
};

struct http_query_answer {
    struct position position;
    bool found;
    int status;
    struct text body;
};

/* Run a query of the service's projection on the live generation (one generation a
 * request), having waited for the position the request demands. On failure the request
 * was answered already (503, 412, 504): just return. */
bool http_query(struct http_request *r, const char *query,
                const struct http_query_value *values, size_t n,
                struct http_query_answer *out);
/* Query and answer with its body, or 404 through refuse() when nothing was found. */
void http_answer_query(struct http_request *r, const char *query,
                       const struct http_query_value *values, size_t n);

/* ---- changing: load, decide, append, wait (DESIGN, section 4) ---- */
struct http_decision {
    bool refused; /* then status and message */
    int status;
    struct text message;
    struct text guards[COMMAND_GUARDS];
    size_t guard_count;
    struct record events[COMMAND_EVENTS]; /* made with event_make() */
    size_t event_count;                   /* 0 and not refused: nothing to do, answer */
};

struct http_mutation {
    const char *load; /* the query whose body is the state; NULL: decided on nothing, so
                         that a guard refuses if it has any event at all */
    const struct http_query_value *values;
    size_t value_count;
    /* What names the command, whoever asks and with whatever body; NULL: see below */
    const struct uuid *key;
    /* Pure: state and request in, decision out. `now` is only for window checks. */
    void (*decide)(struct http_request *r, const json_t *state, void *context,
                   struct http_decision *out);
    void *context;
};

struct http_outcome {
    struct uuid command; /* the idempotency key: ids derive from it */
    bool repeated;       /* the key was known: this is the first answer's event */
    char topic[POSITION_TOPIC];
    uint32_t partition;
    uint64_t sequence; /* of the last event; 0 when there was nothing to do */
    int64_t time;
};

/* The id of the command's i-th event: known before it is appended, so that a decision
 * can name it. Valid in decide() and after. */
struct uuid http_event_id(const struct http_request *r, size_t i);

/* Carry a mutation through until its projection shows it: key from Idempotency-Key or
 * from (address, payload, body); on conflict waits, loads and decides again; settles
 * unknown outcomes. False: the request was answered already (a refusal through
 * refuse(), 409, 422, 503, 504). */
bool http_mutate(struct http_request *r, const struct http_mutation *m,
                 struct http_outcome *out);

/* ---- telling: facts from outside, which nothing is decided on ---- */
struct http_fact {
    struct uuid key;      /* the same key is the same fact, whatever it says */
    struct record record; /* made with event_make(); ids are filled in */
    bool repeated;        /* out: it was known, and nothing was appended */
};

enum { HTTP_FACTS = 100 };

/* Append facts, HTTP_FACTS at most, each by itself, and wait until the projection shows
 * them all. False: the request was answered already (503, 504), and some of them may be
 * on the log: to tell them again is harmless. */
bool http_tell(struct http_request *r, struct http_fact *facts, size_t n);

#endif
