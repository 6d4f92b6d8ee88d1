/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* landlog_request_test.c - `landlog wallet` and `landlog request` as a person uses them.
 */
#include "checker.h"
#include "core/auth/ethereum.h"
#include "core/base/json.h"
#include "unit/t.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char url[64], folder[] = "/tmp/landlog-request-XXXXXX";
static char output[64 * 1024]; /* of the last command: standard output and error */

static int run(const char *fmt, ...) LL_PRINTF(1, 2);

/* `landlog <fmt>` in the folder; the exit status. */
static int run(const char *fmt, ...)
{
    char command[2048];
    va_list args;
    size_t n;
    FILE *f;
    int start = snprintf(command, sizeof(command), "cd %s && '%s/landlog' ", folder,
                         LANDLOG_BINARY_DIR);

    va_start(args, fmt);
    vsnprintf(command + start, sizeof(command) - (size_t)start, fmt, args);
    va_end(args);
    f = popen(command, "r");
    LL_CHECK(f != NULL);
    n = fread(output, 1, sizeof(output) - 1, f);
    output[n] = '\0';
    start = pclose(f);
    return WIFEXITED(start) ? WEXITSTATUS(start) : -1;
}

static bool output_has(const char *part)
{
    return strstr(output, part) != NULL;
}

static char *read_file(const char *name)
{
    char path[256];
    char *text = ll_calloc(1, 8192);
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    f = fopen(path, "re");
    LL_CHECK(f != NULL);
    LL_CHECK(fread(text, 1, 8191, f) > 0);
    fclose(f);
    return text;
}

static void a_wallet_is_made_once(void)
{
    struct stat st;
    char path[256], *before, *after;

    OK(run("wallet new a.json 2>&1") == 0);
    OK(strlen(output) == 43 && strncmp(output, "0x", 2) == 0);
    snprintf(path, sizeof(path), "%s/a.json", folder);
    OK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);

    before = read_file("a.json");
    OK(run("wallet new a.json 2>&1") == 1 && output_has("File exists"));
    after = read_file("a.json");
    OK(strcmp(before, after) == 0);
    free(before);
    free(after);
}

static void a_wallet_is_shown_without_its_key(void)
{
    char *file = read_file("a.json");
    json_t *json;
    struct text secret;

    OK(json_parse(text_of(file), 8, &json, NULL) == LL_OK);
    OK(json_member_text(json, "privateKey", &secret));
    OK(run("wallet show a.json 2>&1") == 0);
    OK(output_has("address: 0x") && output_has("identity: none yet"));
    OK(!output_has(secret.ptr + 2));
    OK(run("wallet show --address a.json 2>&1") == 0);
    OK(strlen(output) == 43);
    for (char *s = output; *s != '\0'; s++) OK(*s < 'A' || *s > 'Z');
    json_decref(json);
    free(file);
}

static void a_wallet_signs(void)
{
    struct ethereum_address signer;
    uint8_t hash[KECCAK_SIZE];
    char address[ETHEREUM_ADDRESS_TEXT], shown[64];

    OK(run("wallet show --address a.json") == 0);
    snprintf(shown, sizeof(shown), "%.42s", output);
    OK(run("wallet sign a.json 'hello you' 2>&1") == 0);
    ethereum_personal_hash(TEXT("hello you"), hash);
    OK(ethereum_recover(hash, (struct text){output, 132}, &signer, NULL) == LL_OK);
    ethereum_address_print(&signer, address);
    OK(strcmp(address, shown) == 0);
}

static void odd_wallets_are_refused(void)
{
    OK(run("wallet show missing.json 2>&1") == 1 &&
       output_has("cannot open missing.json"));
    OK(run("wallet new 2>&1") == 2);
    OK(run("wallet sign a.json 2>&1") == 2);
    OK(run("wallet eat a.json 2>&1") == 2 && output_has("unknown action \"eat\""));
    OK(run("wallet new b.json --expires 5 2>&1") == 2 && output_has("--expires"));
    OK(run("wallet show /etc/hostname 2>&1") == 1 && output_has("is no wallet"));
    OK(run("wallet new c.json >/dev/null && sed -i 's/\"address\": \"0x./\"address\": "
           "\"0xg/' c.json && '%s/landlog' wallet show c.json 2>&1",
           LANDLOG_BINARY_DIR) == 1);
    OK(output_has("the address is not that of the private key"));
}

static void a_request_is_signed(void)
{
    char shown[64];

    OK(run("wallet show --address a.json") == 0);
    snprintf(shown, sizeof(shown), "%.42s", output);
    OK(run("request -w a.json get '%s/Social/v1/%%41?x=/y#z' 2>&1", url) == 0);
    OK(output_has(shown) && output_has("\"method\":\"GET\""));
    OK(output_has("\"path\":\"/Social/v1/%41\""));
    OK(run("request -w a.json --metadata '{\"Signer\":\"A\",\"signer\":\"a\"}' POST "
           "%s/a/../b "
           "'{\"to\":1}' 2>&1",
           url) == 0);
    OK(output_has("\"path\":\"/a/../b\"") && output_has("\"body\":\"{\\\"to\\\":1}\""));
    OK(output_has("\"signer\":\"a\""));
    OK(run("wallet show a.json") == 0 && output_has("until 20"));
}

static void an_identity_is_kept_until_it_ends(void)
{
    char first[512], *file = read_file("a.json");

    OK(strstr(file, "ephemeralIdentity") != NULL);
    free(file);
    OK(run("wallet show a.json") == 0);
    snprintf(first, sizeof(first), "%.511s", output);
    OK(run("request -w a.json GET %s/a >/dev/null", url) == 0);
    OK(run("wallet show a.json") == 0 && strcmp(first, output) == 0);
    OK(run("request -w a.json --expires 30s GET %s/a >/dev/null", url) == 0);
    OK(run("wallet show a.json") == 0 && strcmp(first, output) != 0);
    snprintf(first, sizeof(first), "%.511s", output);
    OK(run("request -w a.json GET %s/a >/dev/null", url) == 0);
    OK(run("wallet show a.json") == 0 && strcmp(first, output) != 0);
}

static void a_forged_request_is_refused(void)
{
    OK(run("request -w a.json --forge GET %s/a 2>&1", url) == 22);
    OK(output_has("Invalid signature: ERROR. Link type: ECDSA_SIGNED_ENTITY."));
    OK(run("request GET %s/a 2>&1", url) == 22 && output_has("Invalid Auth Chain"));
    OK(run("request -w a.json --metadata '[]' GET %s/a 2>&1", url) == 22);
    OK(output_has("Invalid chain metadata: \\\"[]\\\""));
}

static void a_request_can_be_repeated_and_shown(void)
{
    unsigned before = checker_count();
    const char *first, *second;

    OK(run("request -w a.json --repeat 3 --include --show -H 'X-Y: z' GET %s/a 2>&1",
           url) == 0);
    OK(checker_count() == before + 3);
    OK(output_has("HTTP/1.1 200") && output_has("x-identity-timestamp: 1"));
    OK(output_has("x-identity-auth-chain-2: {\"type\":\"ECDSA_SIGNED_ENTITY\""));
    first = strstr(output, "x-identity-metadata: {}");
    OK(first != NULL);
    second = first == NULL ? NULL : strstr(first + 1, "x-identity-metadata: {}");
    OK(second == NULL);
}

static void a_body_comes_from_a_file(void)
{
    OK(run("wallet show a.json >/dev/null && printf 'a\\nb' | '%s/landlog' request -w "
           "a.json "
           "--body-file - POST %s/a 2>&1",
           LANDLOG_BINARY_DIR, url) == 0);
    OK(output_has("\"body\":\"a\\nb\""));
    OK(run("request -w a.json --body-file missing POST %s/a 2>&1", url) == 1);
    OK(run("request -w a.json --body-file x POST %s/a b 2>&1", url) == 2);
}

static void odd_requests_are_refused(void)
{
    OK(run("request GET 2>&1") == 2);
    OK(run("request 'G T' %s 2>&1", url) == 2 && output_has("is no method"));
    OK(run("request GET 'no url' 2>&1") == 2 && output_has("is no URL"));
    OK(run("request GET http://127.0.0.1:1/ 2>&1") == 1);
    OK(run("request GET file:///etc/hostname 2>&1") == 1);
    OK(run("request --header x GET %s 2>&1", url) == 2);
    OK(run("request --forge GET %s 2>&1", url) == 2);
    OK(run("request -w missing.json GET %s 2>&1", url) == 1);
    OK(run("request --repeat 0 GET %s 2>&1", url) == 2);
}

int main(void)
{
    char command[128];

    LL_CHECK(mkdtemp(folder) != NULL);
    checker_start(url);
    RUN(a_wallet_is_made_once);
    RUN(a_wallet_is_shown_without_its_key);
    RUN(a_wallet_signs);
    RUN(odd_wallets_are_refused);
    RUN(a_request_is_signed);
    RUN(an_identity_is_kept_until_it_ends);
    RUN(a_forged_request_is_refused);
    RUN(a_request_can_be_repeated_and_shown);
    RUN(a_body_comes_from_a_file);
    RUN(odd_requests_are_refused);
    checker_stop();
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    OK(system(command) == 0);
    return t_done();
}
