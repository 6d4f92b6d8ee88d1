/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* cid_text_fuzz.c - what passes for a name is one path component, and of the length of
 * those that a file's bytes are given. */
#include "core/blob/cid.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct text t = {(const char *)data, len};
    enum cid_form form = cid_form(t);
    struct cids c;

    cids_of(t, &c);
    LL_CHECK(c.size == len && cid_form(text_of(c.v0)) == CID_V0 &&
             cid_form(text_of(c.v1)) == CID_V1);
    if (form == CID_NONE) return 0;
    LL_CHECK(len == strlen(cids_name(&c, form)) && len < CID_TEXT);
    for (size_t i = 0; i < len; i++)
        LL_CHECK(data[i] < 0x80 && strchr("/.\\%:", data[i]) == NULL && data[i] > ' ');
    return 0;
}
