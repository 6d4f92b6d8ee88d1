/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
#include "kafka_kind.h"

#include "core/base/clock.h"
#include "core/log/kafka_topics.h"
#include "core/log/log_copy.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void must(ll_rc rc, const struct ll_error *err)
{
    if (rc != LL_OK) suite_die("%s", err->text);
}

static void set(struct testlog *log, const char *name, const char *value)
{
    struct ll_error err;

    must(settings_set(log->settings, text_of(name), text_of(value), "test", &err), &err);
}

void kafka_kind_prepare(struct testlog *log)
{
    const char *brokers = getenv("LANDLOG_TEST_KAFKA");
    static unsigned serial; /* a log's topics are nobody else's, before or after */
    char prefix[100];
    struct ll_error err;

    if (brokers == NULL) suite_die("LANDLOG_TEST_KAFKA is not set");
    snprintf(prefix, sizeof(prefix), "%s.%u.", log->database, serial++);
    set(log, "kafka.brokers", brokers);
    set(log, "kafka.topic-prefix", prefix);
    must(kafka_topics_create(log->settings, &log->topics, 0, NULL, &err), &err);
}

void kafka_kind_move(struct testlog *log)
{
    struct log_copy copy = {log->settings, TEST_SERVICE, "test", NULL, NULL};
    struct ll_error err;

    must(log_copy_to_kafka(&copy, &err), &err);
}

static void exec_relay(const struct testlog *log, const char *conninfo)
{
    char postgres[1100], brokers[300], prefix[120];
    int out;

    snprintf(postgres, sizeof(postgres), "postgres=%s", conninfo);
    snprintf(brokers, sizeof(brokers), "kafka.brokers=%s",
             settings_string(log->settings, SETTING_KAFKA_BROKERS));
    snprintf(prefix, sizeof(prefix), "kafka.topic-prefix=%s",
             settings_string(log->settings, SETTING_KAFKA_TOPIC_PREFIX));
    out = open(LANDLOG_BINARY_DIR "/relay.log", O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (out >= 0) dup2(out, STDERR_FILENO);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execl(LANDLOG_BINARY_DIR "/landlog", "landlog", "relay", "--set", postgres, "--set",
          brokers, "--set", prefix, (char *)NULL);
    _exit(127);
}

pid_t kafka_kind_relay(const struct testlog *log, const char *conninfo)
{
    pid_t pid = fork();

    if (pid < 0) suite_die("fork");
    if (pid == 0) exec_relay(log, conninfo);
    return pid;
}

void kafka_kind_end(pid_t relay, int signal)
{
    int64_t end = clock_monotonic_us() + KAFKA_PATIENCE_S * INT64_C(1000000);
    int status;

    if (relay <= 0) return;
    kill(relay, signal);
    while (waitpid(relay, &status, WNOHANG) == 0) {
        if (clock_monotonic_us() > end) suite_die("the relay does not end");
        usleep(2000);
    }
    /* One that has only just been started may not have got to its handler yet. */
    if (signal == SIGTERM && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) &&
        (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
        suite_die("the relay ended with status %d", status);
}

void kafka_kind_drop(struct testlog *log)
{
    struct ll_error err;

    must(kafka_topics_delete(log->settings, &log->topics, &err), &err);
}

void kafka_kind_await(const struct testlog *log, const char *sql, const char *value)
{
    int64_t end = clock_monotonic_us() + KAFKA_PATIENCE_S * INT64_C(1000000);
    char *found = testlog_ask(log, sql);

    while (strcmp(found, value) != 0) {
        if (clock_monotonic_us() > end)
            suite_die("still \"%s\", not \"%s\": %s", found, value, sql);
        free(found);
        usleep(20000);
        found = testlog_ask(log, sql);
    }
    free(found);
}

void kafka_kind_await_relayed(const struct testlog *log)
{
    kafka_kind_await(log, "select landlog.relay_lag('" TEST_SERVICE "')", "0");
}

/* ---- the kind ---- */

static void start(struct testlog *log)
{
    pid_t *relay = ll_malloc(sizeof(*relay));

    kafka_kind_prepare(log);
    kafka_kind_move(log);
    *relay = kafka_kind_relay(log, log->conninfo);
    log->own = relay;
}

static void stop(struct testlog *log)
{
    pid_t *relay = log->own;

    kafka_kind_end(*relay, SIGTERM);
    kafka_kind_drop(log);
    free(relay);
}

const struct testlog_kind kafka_kind = {"kafka", start, stop};
