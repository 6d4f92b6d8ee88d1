/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* content_kafka_test.c - deployments, the log on Kafka. */
#include "content_story.h"

int main(void)
{
    return content_story("content_kafka", true);
}
