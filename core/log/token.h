/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* token.h - the value of the header Landlog-Position: a position, and of which log.
 *
 * Text: the log's incarnation as a lower-case UUID, a colon, the text of position.h
 *
 *   0192f0c4-6f1e-7b7a-9d0c-5b1f6f3a2e11:badges/0=77,social/3=1042
 *
 * and nothing behind the colon where nothing was read. It is given to clients, who send
 * it back as it came; each token has one spelling. A restore gives the log another
 * incarnation, so sequences that were lost are not taken for others of the same number.
 *
 * Invariant: the text is at most TOKEN_LENGTH bytes. Change `position` only through
 *            token_merge(), which keeps it.
 * Memory:    all in place; copying a struct copies the token.
 * Threads:   none. One owner, one thread.
 */
#ifndef LL_TOKEN_H
#define LL_TOKEN_H

#include "core/base/uuid.h"
#include "core/log/position.h"

enum {
    TOKEN_LENGTH = 2048,          /* longest text: a proxy's header limit is 4 or 8 KiB */
    TOKEN_TEXT = TOKEN_LENGTH + 1 /* and its NUL */
};

struct token {
    struct uuid incarnation;
    struct position position;
};

/* Nothing read of that log. */
void token_init(struct token *t, const struct uuid *incarnation);

/* Take all that `p` has seen as seen. LL_EFULL when the whole would be too long or have
 * too many entries: `t` is as before, never a part of it, since a token that forgets an
 * entry breaks its holder's promise to read what was written. */
ll_rc token_merge(struct token *t, const struct position *p) LL_MUST_CHECK;

/* Read a stranger's. LL_EINVAL for anything but what token_print() writes, LL_EFULL for
 * one that is too long or has too many entries; `t` is then empty, of the nil log. */
ll_rc token_parse(struct token *t, struct text text) LL_MUST_CHECK;

/* Write the text, NUL-terminated. Returns its length. */
size_t token_print(const struct token *t, char out[TOKEN_TEXT]);

#endif
