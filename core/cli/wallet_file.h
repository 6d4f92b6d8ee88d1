/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* wallet_file.h - a wallet on disk, for trying things out: the private key lies in it in
 * the clear, readable by its owner alone.
 *
 * JSON: {"address", "privateKey", "identity"?}; the identity is an ephemeral key with
 * the owner's signature, as dapps keep it.
 */
#ifndef LL_WALLET_FILE_H
#define LL_WALLET_FILE_H

#include "core/auth/identity.h"

struct wallet_file {
    struct ethereum_key key;
    bool has_identity;
    struct identity identity;
};

/* Write a new file of mode 0600. LL_ECONFLICT when there is a file already. */
ll_rc wallet_file_create(const char *path, const struct wallet_file *w,
                         struct ll_error *err) LL_MUST_CHECK;
/* Replace the file's content at once: whoever reads it sees the old or the new. */
ll_rc wallet_file_replace(const char *path, const struct wallet_file *w,
                          struct ll_error *err) LL_MUST_CHECK;
/* LL_EINVAL when it is no wallet, or its parts contradict each other. */
ll_rc wallet_file_load(const char *path, struct wallet_file *out,
                       struct ll_error *err) LL_MUST_CHECK;

/* The ephemeral identity that the file keeps; where it has none, or one that ends within
 * a minute, or `is_new` is asked for: a new one, valid for `lasts_ms`, which it then
 * keeps. */
ll_rc wallet_file_identity(const char *path, int64_t lasts_ms, bool is_new,
                           struct identity *out, struct ll_error *err) LL_MUST_CHECK;

/* "90s", "5m", "12h", "30d" in ms; false on anything else, zero and more than ten years
 * included. */
bool wallet_duration_parse(const char *text, int64_t *ms);

#endif
