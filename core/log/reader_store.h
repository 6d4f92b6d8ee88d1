/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* reader_store.h - the stores that a reader can follow; private to log_reader_open(). */
#ifndef LL_READER_STORE_H
#define LL_READER_STORE_H

#include "core/log/reader.h"

typedef ll_rc (*reader_opener)(const struct settings *settings, const struct topic *topic,
                               const struct log_cursor *cursors, size_t n,
                               struct log_reader **out, struct ll_error *err);

ll_rc postgres_reader_open(const struct settings *settings, const struct topic *topic,
                           const struct log_cursor *cursors, size_t n,
                           struct log_reader **out, struct ll_error *err) LL_MUST_CHECK;
ll_rc kafka_reader_open(const struct settings *settings, const struct topic *topic,
                        const struct log_cursor *cursors, size_t n,
                        struct log_reader **out, struct ll_error *err) LL_MUST_CHECK;

#endif
