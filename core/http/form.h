/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* form.h - what a form held: fields in memory, files as drafts of blobs, within limits.
 *
 * The sink of a multipart parser; it blocks on the disk. Of parts with the same name the
 * last counts. What would go beyond a limit ends it with the contract's words (catalyst,
 * 3.1). Threads: one at a time.
 */
#ifndef LL_FORM_H
#define LL_FORM_H

#include "core/http/http.h"
#include "core/http/multipart.h"

struct form;

/* `limits` and `blobs` must outlive it. */
struct form *form_new(const struct http_upload *limits, struct blob_store *blobs);
/* Removes the drafts that were not kept. */
void form_free(struct form *f);
/* For multipart_feed(), with the form as its context. */
extern const struct multipart_sink form_sink;
/* Why it ended: the status to refuse with, and the words. */
int form_refusal(const struct form *f, const char **message);

/* All parts are there. Prints a text that is the same only for the same fields and files
 * in the same order. */
void form_seal(struct form *f, char out[CID_TEXT]);
bool form_field(const struct form *f, const char *name, struct text *out);
bool form_field_at(const struct form *f, size_t i, struct text *name, struct text *value);
/* Of a sealed form. */
const struct http_file *form_file_at(const struct form *f, size_t i);
/* The bytes of a file that was not kept yet, which the form keeps. LL_EFULL: more than
 * `limit`. */
ll_rc form_read_file(struct form *f, const struct http_file *file, size_t limit,
                     struct text *out, struct ll_error *err) LL_MUST_CHECK;

#endif
