/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* react_subjects.h - what is asked of reactors on every store. */
#ifndef LL_REACT_SUBJECTS_H
#define LL_REACT_SUBJECTS_H

#include "reacted.h"

/* react_moments.c */
void reactors_killed_at_random_moments(struct suite *s);
void a_reactor_stopped_at_each_message_of_a_flight(struct suite *s);
void a_reactor_stopped_at_each_message_of_its_mover(struct suite *s);
void a_reactor_away_for_longer_than_a_key_lives(struct suite *s);

/* react_rebuild.c */
void a_rebuild_emits_nothing(struct suite *s);
void a_rebuild_under_traffic_loses_nothing(struct suite *s);
void other_sql_emits_what_is_new(struct suite *s);

/* react_life.c */
void each_fact_is_on_the_log_once(struct suite *s);
void it_keeps_up(struct suite *s);
void a_timer_rings_once_and_not_early(struct suite *s);
void a_fact_that_its_schema_refuses_halts(struct suite *s);
void jobs_run_once_at_a_time(struct suite *s);

#endif
