/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* entity.h - an entity file's bytes as a struct (contract: catalyst, 3 and 4.2 step 3).
 *
 * What is read here has the right shape; entity_check.h judges what it says. Texts are
 * views into the arena or the document; both must outlive the entity.
 */
#ifndef LL_ENTITY_H
#define LL_ENTITY_H

#include "core/base/arena.h"
#include "core/base/json.h"

enum entity_type {
    ENTITY_SCENE,
    ENTITY_PROFILE,
    ENTITY_WEARABLE,
    ENTITY_EMOTE,
    ENTITY_STORE,
    ENTITY_OUTFITS,
    ENTITY_TYPES
};

enum {
    ENTITY_FILE_SIZE = 1024 * 1024, /* bytes: projections read no larger blob */
    ENTITY_POINTERS = 4096,
    ENTITY_POINTER_TEXT = 512, /* bytes */
    ENTITY_CONTENT = 25000,    /* files: what replicating nodes take */
    /* More than what parsing and checking one entity take from an arena. */
    ENTITY_ARENA = 16 * 1024 * 1024
};

struct entity_content {
    struct text file, hash;
};

struct entity {
    struct text id;
    struct text version; /* "v3" when the file does not say */
    enum entity_type type;
    int64_t timestamp; /* ms */
    size_t file_size;  /* bytes */
    size_t pointer_count;
    struct text *pointers; /* lower case, in the file's order, repeated ones too */
    size_t content_count;
    struct entity_content *content;
    const struct entity_content **by_file; /* the same, sorted by file's name */
    const json_t *metadata;    /* NULL when absent; its numbers are all doubles */
    struct text metadata_text; /* its JSON as it stands in the file */
    json_t *document;
};

/* Read the file whose hash is `id`. LL_EINVAL with the contract's message for anything
 * else than an entity (beyond the contract: duplicate members, NUL characters, numbers
 * out of range, a timestamp that is no whole number); LL_EFULL with a message of ours
 * for what is larger than the limits above. A file without pointers is an entity.
 * Memory is the arena's, born with ENTITY_ARENA. */
ll_rc entity_parse(struct text file, struct text id, struct arena *arena,
                   struct entity *out, struct ll_error *err) LL_MUST_CHECK;
/* Frees the document; also of an entity that was not parsed. */
void entity_fini(struct entity *e);

const char *entity_type_name(enum entity_type type); /* "scene" */
/* Exactly the name. */
bool entity_type_find(struct text name, enum entity_type *out);
/* As paths and queries write it: any case, and one `s` at the end is dropped. */
bool entity_type_find_loosely(struct text name, enum entity_type *out);

/* The pointers of `e` joined by commas, as messages show them; cut when it is long. */
struct text entity_pointer_list(const struct entity *e, struct arena *arena);
/* The first file of that name in the entity's content; NULL when there is none. */
const struct entity_content *entity_find_file(const struct entity *e, struct text file);

#endif
