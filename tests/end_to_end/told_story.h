/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* told_story.h - each notification once, on one store: people befriend each other while
 * the notifier is killed, stopped and built anew. */
#ifndef LL_TOLD_STORY_H
#define LL_TOLD_STORY_H

#include <stdbool.h>

/* The exit status of a test: 0, 1, or 77 when a service is not there. */
int told_story(const char *name, bool on_kafka);

#endif
