/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* promises_test.c - each promise passes on a history that keeps it and fails on one that
 * breaks it, as read from JSON lines (here with ' for "). */
#include "promises.h"
#include "unit/t.h"

#include <stdlib.h>
#include <string.h>

/* Fill `h` from lines; what load says. */
static ll_rc load(struct history *h, const char *lines, struct ll_error *err)
{
    char *text = ll_strdup(lines);
    FILE *in;
    ll_rc rc;

    for (char *c = text; *c != '\0'; c++)
        if (*c == '\'') *c = '"';
    in = fmemopen(text, strlen(text), "r");
    LL_CHECK(in != NULL);
    history_init(h);
    rc = history_load(h, in, err);
    history_seal(h);
    LL_CHECK(fclose(in) == 0);
    free(text);
    return rc;
}

/* Two events of a in partition 0, one of b in 1, decided having seen a. */
#define A      "{'command':'a','key':'ka','body':'1','guards':['x'],'answer':'accepted',"
#define B      "{'command':'b','key':'kb','body':'2','guards':['x'],'as_of':'log/0=2',"
#define A_SENT A "'at':'log/0=2','time':10}\n"
#define B_SENT B "'answer':'accepted','at':'log/1=1'}\n"
#define A_0    "{'event':'a','index':0,'size':2,'at':'log/0=1','tags':['x','y'],'time':10}\n"
#define A_1    "{'event':'a','index':1,'size':2,'at':'log/0=2','tags':['x'],'time':10}\n"
#define B_0    "{'event':'b','index':0,'size':1,'at':'log/1=1','tags':['x'],'time':12}\n"
#define LOG    A_SENT B_SENT A_0 A_1 B_0
#define READ   "{'read':'r','event':'a','index':0,'at':'log/0=1'}\n"
#define C      "{'command':'c','body':'3','guards':['x'],'as_of':'log/0=2',"
#define D      "{'command':'d','key':'kd','body':'4','answer':'unknown',"
#define X_AND  "{'view':'log/0=1,log/1=1'}\n{'row':'x','events':2,'sum':2}\n"

static const struct {
    const char *promise; /* how its text begins; NULL: all hold */
    const char *lines;
} cases[] = {
    {NULL, LOG READ "{'read':'r','event':'a','index':1,'at':'log/0=2'}\n" X_AND
                    "{'row':'y','events':1,'sum':1}\n"},
    {NULL, LOG C "'key':'kc','answer':'conflict','at':'log/1=1'}\n"},
    {NULL,
     LOG "{'command':'c','key':'ka','body':'1','answer':'duplicate','at':'log/0=2'}"},
    {NULL, LOG "{'command':'c','key':'ka','body':'9','answer':'reused','at':'log/0=2'}"},
    {NULL, LOG C "'key':'kc','answer':'closed'}\n" D "'at':'log/7=7'}\n"},
    {"the sequence", A_SENT A_1},
    {"time", LOG D "'as_of':''}\n{'event':'d','size':1,'at':'log/0=3','time':9}\n"},
    {"a command is on the log whole", A_SENT A_0},
    {"a command is on the log whole", A_0 A_1},
    {"a command is on the log whole",
     A_SENT A_0 "{'event':'a','index':1,'size':2,'at':'log/1=1','time':10}\n"},
    {"a command is on the log whole",
     A_SENT D "'as_of':''}\n" A_0 "{'event':'d','size':1,'at':'log/0=2','time':10}\n"
              "{'event':'a','index':1,'size':2,'at':'log/0=3','time':10}\n"},
    {"an acknowledged", A_SENT},
    {"an acknowledged", A "'at':'log/0=1'}\n" A_0 A_1},
    {"an acknowledged", A "'at':'log/0=2','time':11}\n" A_0 A_1},
    {"an acknowledged",
     LOG "{'command':'c','key':'ka','body':'9','answer':'duplicate','at':'log/0=2'}\n"},
    {"an acknowledged",
     LOG "{'command':'c','key':'ka','body':'1','answer':'reused','at':'log/0=2'}\n"},
    {"an acknowledged",
     LOG "{'command':'c','key':'ka','body':'1','answer':'accepted','at':'log/0=2'}\n"},
    {"a refused", B "'answer':'conflict'}\n" B_0},
    {"a refused", B "'answer':'closed'}\n" B_0},
    {"a key", LOG "{'command':'d','key':'kb','body':'2','answer':'unknown'}\n"
                  "{'event':'d','size':1,'at':'log/1=2','time':12}\n"},
    {"a conflict", LOG C "'key':'kc','answer':'conflict','at':'log/0=2'}\n"},
    {"a conflict", LOG "{'command':'c','key':'kc','body':'3','guards':['z'],"
                       "'answer':'conflict','at':'log/1=1'}\n"},
    {"the commands of a tag",
     LOG C "'key':'kc','answer':'accepted','at':'log/1=2'}\n"
           "{'event':'c','size':1,'at':'log/1=2','tags':['x'],'time':12}\n"},
    /* d wrote before e without a guard; e guards and had not seen it. */
    {"one order", D "'as_of':''}\n{'command':'e','key':'ke','body':'5','guards':['x'],"
                    "'answer':'unknown'}\n"
                    "{'event':'d','size':1,'at':'log/0=1','tags':['x']}\n"
                    "{'event':'e','size':1,'at':'log/0=2'}\n"},
    /* Write skew: both guard x and y, each writes one, in partitions of their own. */
    {"one order", "{'command':'e','key':'ke','body':'5','guards':['x','y'],"
                  "'answer':'unknown'}\n{'command':'f','key':'kf','body':'6',"
                  "'guards':['x','y'],'answer':'unknown'}\n"
                  "{'event':'e','size':1,'at':'log/0=1','tags':['x']}\n"
                  "{'event':'f','size':1,'at':'log/1=1','tags':['y']}\n"},
    {"nothing appears", LOG "{'read':'r','event':'b','index':0,'at':'log/0=1'}\n"},
    {"nothing appears", LOG READ "{'read':'r','event':'a','index':1,'at':'log/0=3'}\n"},
    {"nothing appears", LOG READ READ},
    {"a projection", LOG X_AND},
    {"a projection",
     LOG "{'row':'x','events':3,'sum':5}\n{'row':'y','events':1,'sum':1}\n"},
};

static void each_breach_is_named(void)
{
    for (size_t i = 0; i < LL_LENGTH(cases); i++) {
        struct history h;
        struct ll_error err = {0};
        char want[64];
        ll_rc rc;

        OK(load(&h, cases[i].lines, &err) == LL_OK);
        rc = promises_hold(&h, &err);
        snprintf(want, sizeof(want), "broken: %s",
                 cases[i].promise != NULL ? cases[i].promise : "");
        OK(rc == (cases[i].promise != NULL ? LL_EBROKEN : LL_OK));
        OK(rc == LL_OK || strncmp(err.text, want, strlen(want)) == 0);
        if (rc != (cases[i].promise != NULL ? LL_EBROKEN : LL_OK) ||
            (rc != LL_OK && strncmp(err.text, want, strlen(want)) != 0))
            printf("  case %zu, \"%s\": %s\n", i, want, err.text);
        history_fini(&h);
    }
}

static void a_wrong_line_is_named(void)
{
    static const char *const bad[] = {
        A_0 "[]\n",
        A_0 "{'event':''}\n",
        A_0 "{'event':'a','at':'log/0'}\n",
        A_0 "{'event':'a','at':'log/0=1,log/1=1'}\n",
        A_0 "{'event':'a','tags':'x'}\n",
        A_0 "{'event':'a','tags':[7]}\n",
        A_0 "{'command':'c','key':'k','body':'b','answer':'maybe'}\n",
        A_0 "nonsense\n",
    };

    for (size_t i = 0; i < LL_LENGTH(bad); i++) {
        struct history h;
        struct ll_error err = {0};

        OK(load(&h, bad[i], &err) == LL_EINVAL);
        OK(strncmp(err.text, "line 2: ", 8) == 0);
        history_fini(&h);
    }
}

int main(void)
{
    RUN(each_breach_is_named);
    RUN(a_wrong_line_is_named);
    return t_done();
}
