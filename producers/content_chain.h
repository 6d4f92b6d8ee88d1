/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_chain.h - the auth chain of a deployment's form, in both spellings. */
#ifndef LL_CONTENT_CHAIN_H
#define LL_CONTENT_CHAIN_H

#include "core/http/http.h"

/* From the field authChain, a JSON array, or from authChain[i][type], ...[payload] and
 * ...[signature]. NULL, and the chain in *out, which the caller owns: its links have
 * type, payload and signature, in that order, and no more. Otherwise what is wrong, in
 * the contract's words, and *out is NULL. */
const char *content_chain_read(struct http_request *r, json_t **out);

#endif
