/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* install.h - what every long-running command does first. */
#ifndef LL_INSTALL_H
#define LL_INSTALL_H

#include "core/base/settings.h"
#include "core/event/registry.h"

/* Load the event types, connect to Postgres (waiting up to 30 s for it to answer), and
 * make or upgrade the tables of the log and of the projections' catalogue. Dies on any
 * failure. The caller frees the registry. */
struct registry *install(const struct settings *settings);

#endif
