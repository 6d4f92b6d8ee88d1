/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_story.h - the deployments service from end to end, on either store. */
#ifndef LL_CONTENT_STORY_H
#define LL_CONTENT_STORY_H

#include <stdbool.h>

/* The exit status; 77 where the services are not there that it needs. */
int content_story(const char *name, bool on_kafka);

#endif
