/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_jobs.h - what the deployments service does from time to time; rows of jobs.c.
 */
#ifndef LL_CONTENT_JOBS_H
#define LL_CONTENT_JOBS_H

#include "core/react/job.h"

/* Make the snapshots that are missing or no longer true. */
ll_rc content_snapshots_run(const struct react_context *context, struct ll_error *err);
/* Remove files that nothing refers to, once their grace period is over. With the setting
 * service.content.garbage-collection also those that only overwritten or stale entities
 * use; entity files stay. */
ll_rc content_garbage_run(const struct react_context *context, struct ll_error *err);
/* Tell what is new on the deny-list, so that it is in no list any more. */
ll_rc content_denylist_run(const struct react_context *context, struct ll_error *err);

#endif
