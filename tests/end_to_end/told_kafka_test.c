/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* told_kafka_test.c - each notification once, the log in Kafka. */
#include "told_story.h"

int main(void)
{
    return told_story("told_kafka", true);
}
