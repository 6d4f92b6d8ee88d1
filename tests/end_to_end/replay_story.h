/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* replay_story.h - the proof, on one store: people who meet on the same pairs, processes
 * killed meanwhile, every query's bytes kept, all read models dropped, replayed,
 * compared.
 */
#ifndef LL_REPLAY_STORY_H
#define LL_REPLAY_STORY_H

#include <stdbool.h>

/* The exit status of a test: 0, 1, or 77 when a service is not there. */
int replay_story(const char *name, bool on_kafka);

#endif
