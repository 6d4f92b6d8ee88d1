/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* upload.h - a form's body on its way from the socket to drafts of blobs.
 *
 * Two hands: the loop fills one buffer with the body's bytes (reading.c) and stops
 * reading the socket when it is full; the request's fiber swaps it for an empty one and
 * has a thread of the pool parse, hash and write. So the loop never waits for the disk,
 * and a fast client waits for a slow one. The fiber runs from the request's head on and
 * owns the request; whatever happens to the connection meanwhile it is only told.
 */
#ifndef LL_UPLOAD_H
#define LL_UPLOAD_H

#include "core/http/http.h"

enum { UPLOAD_SLICE = 512 * 1024, UPLOADS_MOST = 64 /* at a time, in a worker */ };

struct upload;

/* ---- on the loop ---- */
/* The head of a request for a route with an `upload` is there. False: refused; the body
 * must not be read. `length` of the body; UINT64_MAX: not known. */
bool upload_begin(struct http_request *r, uint64_t length);
/* May more of the body be parsed now? */
bool upload_has_room(const struct upload *u);
/* Bytes of the body; a chunk of `n` bytes is coming; the body's end. */
void upload_take(struct upload *u, const char *bytes, size_t n);
void upload_expect(struct upload *u, uint64_t n);
void upload_complete(struct upload *u);
/* It cannot go on: answer with that. */
void upload_fail(struct upload *u, int status, const char *why);
/* Nothing more will come: the client has closed its side. */
void upload_end_of_input(struct upload *u);
/* Something of the above has happened: let the fiber go on, if it waits for it. */
void upload_wake(struct upload *u);
/* Is it the client that is waited for (and not the disk)? */
bool upload_waits(const struct upload *u);

/* ---- on the fiber ---- */
/* Receive the whole form. False: refused already. */
bool upload_receive(struct http_request *r);
/* Drop what was not kept. */
void upload_finish(struct http_request *r);

/* Are the settings of this route's limits sound? */
ll_rc upload_check_settings(const struct settings *s, const char *service,
                            const struct http_upload *upload,
                            struct ll_error *err) LL_MUST_CHECK;

#endif
