/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* bulk_load.h - bulk append against raw binary COPY. */
#ifndef LL_BULK_LOAD_H
#define LL_BULK_LOAD_H

void bulk_figures(const char *server);

#endif
