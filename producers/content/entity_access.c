/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity_access.c - the two who answer while there is no indexer. */
#include "producers/content/entity_access.h"

/* One set of functions for each: they differ in the answer alone. */
#define ANSWERS(name, answer) \
    static enum entity_access_answer name##_land( \
        void *context, struct text address, int64_t x, int64_t y, int64_t timestamp) \
    { \
        (void)context, (void)address, (void)x, (void)y, (void)timestamp; \
        return answer; \
    } \
    static enum entity_access_answer name##_list(void *context, struct text address, \
                                                 const struct text *list, size_t count, \
                                                 int64_t timestamp, bool *owned) \
    { \
        (void)context, (void)address, (void)list, (void)timestamp; \
        for (size_t i = 0; i < count; i++) owned[i] = (answer) == ENTITY_ACCESS_YES; \
        return answer; \
    } \
    static enum entity_access_answer name##_item( \
        void *context, struct text address, const struct urn *item, \
        struct text item_text, int64_t timestamp) \
    { \
        (void)context, (void)address, (void)item, (void)item_text, (void)timestamp; \
        return answer; \
    } \
    static enum entity_access_answer name##_root(void *context, struct text third_party, \
                                                 const uint8_t root[32], \
                                                 int64_t timestamp) \
    { \
        (void)context, (void)third_party, (void)root, (void)timestamp; \
        return answer; \
    } \
    const struct entity_access entity_access_##name = { \
        name##_land, name##_list, name##_list, name##_item, name##_root}

ANSWERS(open, ENTITY_ACCESS_YES);
ANSWERS(absent, ENTITY_ACCESS_UNKNOWN);
