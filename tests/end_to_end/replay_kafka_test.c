/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* replay_kafka_test.c - replay equals live, the log on Kafka; and rebuilt from it. */
#include "replay_story.h"

int main(void)
{
    return replay_story("replay_kafka", true);
}
