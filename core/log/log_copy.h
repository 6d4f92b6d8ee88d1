/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* log_copy.h - a service's log goes over to another store, while all else runs.
 *
 * To kafka: a relay fills the topics from the first event on; once nothing is behind, the
 * store's name is changed under the referee's lock. To postgres: rows that were dropped
 * are fetched back, then the name is changed. Either can be stopped at any moment and
 * goes on from there when it is started again. Readers notice by themselves.
 */
#ifndef LL_LOG_COPY_H
#define LL_LOG_COPY_H

#include "core/base/settings.h"

/* Called a few times a second. */
typedef void (*log_copy_report)(void *context, uint64_t done, uint64_t total);

struct log_copy {
    const struct settings *settings;
    const char *service;
    const char *owner;      /* of the relay's leases */
    log_copy_report report; /* may be NULL */
    void *context;
};

/* LL_OK at once when the log is there already. LL_EDATABASE is passing: start again. */
ll_rc log_copy_to_kafka(const struct log_copy *copy, struct ll_error *err) LL_MUST_CHECK;
ll_rc log_copy_to_postgres(const struct log_copy *copy,
                           struct ll_error *err) LL_MUST_CHECK;

#endif
