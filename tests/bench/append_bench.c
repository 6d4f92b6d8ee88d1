/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* append_bench.c - commands a second through the referee, against the shape of
 * reference_shape.sql under the same load, in turns; and bulk append against COPY.
 * Needs LANDLOG_TEST_POSTGRES.
 */
#include "append_load.h"
#include "bulk_load.h"
#include "figure.h"

#include <stdlib.h>
#include <string.h>

/* append_bench [guarded|bulk] */
int main(int argc, char **argv)
{
    const char *server = getenv("LANDLOG_TEST_POSTGRES");

    if (server == NULL) return 77;
    if (argc < 2 || strcmp(argv[1], "bulk") != 0) append_figures(server);
    if (argc < 2 || strcmp(argv[1], "guarded") != 0) bulk_figures(server);
    return 0;
}
