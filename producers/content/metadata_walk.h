/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* metadata_walk.h - what the parts of the walk over a value share. */
#ifndef LL_METADATA_WALK_H
#define LL_METADATA_WALK_H

#include "producers/content/metadata_node.h"

/* One violation. Texts point into the schema and the arena. */
struct metadata_problem {
    unsigned level;      /* of the schema that says so; 1 is the root */
    const char *keyword; /* NULL: an errorMessage, which no other replaces */
    const char *property;
    const char *message;
};

struct metadata_run {
    struct arena *arena;
    unsigned level;
    bool full; /* enough has been said: the walk ends */
    size_t count, capacity;
    size_t base; /* problems that are not of this trial */
    struct metadata_problem *problems;
};

void metadata_add(struct metadata_run *run, const char *keyword, const char *property,
                  const char *message);

/* Add what a rule says, and be false. */
#define METADATA_SAY(run, rule, ...) \
    (metadata_add(run, (rule)->name, NULL, arena_printf((run)->arena, __VA_ARGS__)), \
     false)

/* The same of words that need no room: trials that fail by the thousand take none. */
#define METADATA_SAY_TEXT(run, rule, words) \
    (metadata_add(run, (rule)->name, NULL, words), false)

/* Schemas have integers where values have doubles. */
bool metadata_is_equal(const json_t *a, const json_t *b);

/* A value against a schema; `around` is the object that it is a member of, or NULL. */
bool metadata_walk(struct metadata_run *run, const struct metadata_node *node,
                   const json_t *value, const json_t *around);
bool metadata_check_array(struct metadata_run *run, const struct metadata_rule *rule,
                          const json_t *array, const json_t *around);
bool metadata_check_object(struct metadata_run *run, const struct metadata_node *node,
                           const struct metadata_rule *rule, json_t *object);

#endif
