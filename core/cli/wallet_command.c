/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* wallet_command.c - `landlog wallet`: a key of one's own, to try every endpoint with. */
#include "core/cli/command.h"
#include "core/cli/wallet_file.h"
#include "core/base/clock.h"

#include <stdio.h>
#include <string.h>

static const struct command_option options[] = {
    {"address", NULL, "show: print only the address, in lower case", 0},
    {"expires", "DURATION",
     "new: also store an ephemeral identity, valid for so long (90s, 5m, 12h, 30d)", 0},
    {0},
};

static void print_address(const struct wallet_file *w)
{
    char address[ETHEREUM_ADDRESS_TEXT];

    ethereum_address_print_checksum(&w->key.address, address);
    printf("%s\n", address);
}

static int wallet_new(const struct command_line *line, const char *path)
{
    const char *expires = command_option(line, "expires");
    struct wallet_file w = {0};
    struct ll_error err;
    int64_t ms = 0;

    if (expires != NULL && !wallet_duration_parse(expires, &ms))
        die_usage("--expires wants a duration such as 12h or 30d, not \"%s\"", expires);
    ethereum_key_new(&w.key);
    if (expires != NULL) {
        identity_new(&w.identity, &w.key, clock_now_ms() + ms);
        w.has_identity = true;
    }
    if (wallet_file_create(path, &w, &err) != LL_OK) die("%s", err.text);
    print_address(&w);
    return 0;
}

static void load(const char *path, struct wallet_file *out)
{
    struct ll_error err;

    if (wallet_file_load(path, out, &err) != LL_OK) die("%s", err.text);
}

static int wallet_show(const struct command_line *line, const char *path)
{
    char text[ETHEREUM_ADDRESS_TEXT], date[CLOCK_TEXT];
    struct wallet_file w;

    load(path, &w);
    if (command_option(line, "address") != NULL) {
        ethereum_address_print(&w.key.address, text);
        printf("%s\n", text);
        return 0;
    }
    printf("address: ");
    print_address(&w);
    if (!w.has_identity) {
        printf("identity: none yet\n");
        return 0;
    }
    ethereum_address_print_checksum(&w.identity.ephemeral.address, text);
    clock_print(w.identity.expiration, date);
    printf("identity: %s, %s %s\n", text,
           w.identity.expiration > clock_now_ms() ? "until" : "expired at", date);
    return 0;
}

static int wallet_sign(const char *path, const char *message)
{
    char signature[ETHEREUM_SIGNATURE_TEXT];
    struct wallet_file w;

    load(path, &w);
    ethereum_personal_sign(&w.key, text_of(message), signature);
    printf("%s\n", signature);
    return 0;
}

static int wallet_run(const struct command_line *line)
{
    const char *verb = line->arguments[0], *path = line->arguments[1];
    bool is_sign = strcmp(verb, "sign") == 0;

    if (is_sign != (line->argument_count == 3))
        die_usage("expected: new|show FILE, or sign FILE MESSAGE");
    if (is_sign) return wallet_sign(path, line->arguments[2]);
    if (strcmp(verb, "new") == 0) return wallet_new(line, path);
    if (strcmp(verb, "show") == 0) return wallet_show(line, path);
    die_usage("unknown action \"%s\"", verb);
}

const struct command wallet_command = {
    .name = "wallet",
    .summary = "make and show a wallet's file, sign with it",
    .arguments = "new|show|sign FILE [MESSAGE]",
    .help =
        "new FILE            make a key, write it to FILE (which must not exist) and\n"
        "                    print its address\n"
        "show FILE           print the address, and the identity that requests use\n"
        "sign FILE MESSAGE   print the personal_sign signature of MESSAGE\n"
        "\n"
        "The file holds the private key in the clear, readable by you alone. It is made\n"
        "for trying things out; keep nothing of value in such a wallet.",
    .least = 2,
    .most = 3,
    .options = options,
    .run = wallet_run,
};
