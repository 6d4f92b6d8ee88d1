/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* fence_test.c - each rule, then random partitions against the obvious answer. */
#include "core/log/fence.h"
#include "t.h"

#include <stdlib.h>
#include <string.h>

static struct kafka_writer writer;

static struct uuid id_of(uint64_t sequence, unsigned variant)
{
    struct uuid id = {{(uint8_t)(variant + 1), 5}};

    memcpy(id.bytes + 8, &sequence, sizeof(sequence));
    return id;
}

struct judged {
    enum fence_verdict verdict;
    uint64_t sequence;
    struct ll_error err;
};

static struct judged judge(struct fence *f, const struct kafka_record *k)
{
    struct judged j = {0};
    struct kafka_envelope e;

    j.verdict = fence_next(f, k, &e, &j.err);
    if (j.verdict != FENCE_PENDING && j.verdict != FENCE_COMPLETE) return j;
    j.sequence = e.record.sequence;
    kafka_envelope_fini(&e);
    return j;
}

/* Event `index` of a command of `size` events that begins at `first`. */
static struct judged command_event(struct fence *f, uint64_t epoch, uint64_t first,
                                   uint32_t index, uint32_t size)
{
    struct record r = {.sequence = first + index,
                       .id = id_of(first + index, 0),
                       .type = TEXT("test.thing"),
                       .source = TEXT("test"),
                       .command = id_of(first, 9),
                       .command_index = index,
                       .command_size = size};

    kafka_write_event(&writer, &r, epoch);
    return judge(f,
                 &(struct kafka_record){.headers = writer.header, .count = writer.count});
}

static enum fence_verdict event(struct fence *f, uint64_t epoch, uint64_t sequence)
{
    return command_event(f, epoch, sequence, 0, 1).verdict;
}

static enum fence_verdict fence(struct fence *f, uint64_t epoch)
{
    struct uuid relay = id_of(epoch, 7);

    kafka_write_fence(&writer, &relay, &relay, 0, epoch);
    return judge(f,
                 &(struct kafka_record){.headers = writer.header, .count = writer.count})
        .verdict;
}

static struct fence begun(void)
{
    struct fence f;

    fence_init(&f, &(struct kafka_place){0});
    OK(fence(&f, 1) == FENCE_RAISED);
    return f;
}

static void events_of_the_epoch_in_force_count(void)
{
    struct fence f = begun();

    OK(event(&f, 1, 1) == FENCE_COMPLETE && event(&f, 1, 2) == FENCE_COMPLETE);
    OK(f.sequence == 2 && f.void_records == 0);
}

static void a_foreign_record_is_void(void)
{
    struct fence f = begun();
    struct kafka_record k = {.value = TEXT("hello")};

    OK(judge(&f, &k).verdict == FENCE_VOID && f.void_records == 1);
    OK(event(&f, 1, 1) == FENCE_COMPLETE);
}

static void an_old_relay_behind_a_fence_is_void(void)
{
    struct fence f = begun();

    OK(event(&f, 1, 1) == FENCE_COMPLETE && fence(&f, 3) == FENCE_RAISED);
    OK(event(&f, 1, 2) == FENCE_VOID && event(&f, 3, 2) == FENCE_COMPLETE);
    OK(event(&f, 1, 3) == FENCE_VOID && fence(&f, 2) == FENCE_VOID);
    OK(event(&f, 2, 3) == FENCE_VOID && event(&f, 3, 3) == FENCE_COMPLETE);
    OK(f.void_records == 4 && f.sequence == 3);
}

static void the_first_fence_of_an_epoch_wins(void)
{
    struct fence f = begun();

    OK(fence(&f, 2) == FENCE_RAISED && fence(&f, 2) == FENCE_VOID);
}

static void a_record_before_its_fence_is_damage(void)
{
    struct fence f = begun();
    struct judged j = command_event(&f, 2, 1, 0, 1);

    OK(j.verdict == FENCE_BROKEN && strstr(j.err.text, "epoch 2") != NULL);
}

static void a_gap_lasts_until_a_fence(void)
{
    struct fence f = begun();
    struct ll_error err;

    OK(event(&f, 1, 1) == FENCE_COMPLETE && event(&f, 1, 3) == FENCE_VOID && f.gap == 3);
    OK(fence_explain_gap(&f, &err) == LL_EBROKEN);
    OK(strstr(err.text, "event 1 is followed by 3") != NULL);
    OK(event(&f, 1, 2) == FENCE_VOID && event(&f, 1, 4) == FENCE_VOID && f.sequence == 1);
    OK(fence(&f, 2) == FENCE_RAISED && f.gap == 0);
    OK(event(&f, 2, 2) == FENCE_COMPLETE && f.void_records == 3);
}

static void a_double_is_dropped_unless_it_is_another(void)
{
    struct fence f = begun();
    struct kafka_place place = {5, id_of(5, 1), 17, 1, 0};

    OK(event(&f, 1, 1) == FENCE_COMPLETE && event(&f, 1, 2) == FENCE_COMPLETE);
    OK(event(&f, 1, 1) == FENCE_DOUBLE && event(&f, 1, 2) == FENCE_DOUBLE);
    OK(f.doubles == 2 && f.void_records == 0);

    fence_init(&f, &place);
    OK(event(&f, 1, 4) == FENCE_DOUBLE && event(&f, 1, 5) == FENCE_BROKEN);

    place = (struct kafka_place){5, id_of(5, 0), 17, 1, 8}; /* the key's, elsewhere */
    fence_init(&f, &place);
    OK(event(&f, 1, 5) == FENCE_BROKEN);
}

static void a_command_counts_as_a_whole(void)
{
    struct fence f = begun();

    OK(command_event(&f, 1, 1, 0, 3).verdict == FENCE_PENDING);
    OK(command_event(&f, 1, 1, 1, 3).verdict == FENCE_PENDING && f.sequence == 0);
    OK(command_event(&f, 1, 1, 2, 3).verdict == FENCE_COMPLETE && f.sequence == 3);
}

static void a_command_cut_short_is_written_again(void)
{
    struct fence f = begun();

    OK(command_event(&f, 1, 1, 0, 3).verdict == FENCE_PENDING);
    OK(command_event(&f, 1, 1, 1, 3).verdict == FENCE_PENDING);
    OK(fence(&f, 2) == FENCE_RAISED && f.void_records == 2 && f.sequence == 0);
    OK(command_event(&f, 1, 1, 2, 3).verdict == FENCE_VOID);
    for (uint32_t i = 0; i < 3; i++) command_event(&f, 2, 1, i, 3);
    OK(f.sequence == 3);
}

static void a_torn_command_is_a_gap(void)
{
    struct fence f = begun();

    OK(command_event(&f, 1, 1, 0, 3).verdict == FENCE_PENDING);
    OK(event(&f, 1, 2) == FENCE_VOID && f.gap == 2 && f.pending == 0);
    OK(f.void_records == 2 && f.sequence == 0);
    f = begun();
    OK(command_event(&f, 1, 0, 1, 2).verdict == FENCE_VOID && f.gap == 1);
}

static void damage_behind_a_fence_is_void(void)
{
    static const struct kafka_header damaged[] = {{TEXT("ce_landlogepoch"), TEXT("1")}};
    const struct kafka_record k = {.headers = damaged, .count = 1};
    struct fence f = begun();

    OK(judge(&f, &k).verdict == FENCE_BROKEN);
    OK(fence(&f, 2) == FENCE_RAISED && judge(&f, &k).verdict == FENCE_VOID);
}

/* Relays that come and go and write what they please, a zombie among them. What counts
 * must be 1, 2, 3 ... as long as the one in force writes on from where the fold is. */
static void random_relays_agree(void)
{
    for (unsigned seed = 1; seed <= 300; seed++) {
        uint64_t epoch = 1, zombie = 0, expected = 0;
        struct fence f = begun();

        srand(seed);
        for (int i = 0; i < 200; i++) {
            uint32_t size = (uint32_t)(rand() % 3) + 1, whole = size;
            uint64_t first = f.sequence + 1;

            switch (rand() % 6) {
            case 0:
                zombie = epoch++;
                OK(fence(&f, epoch) == FENCE_RAISED);
                break;
            case 1:
                if (zombie > 0) OK(event(&f, zombie, first) == FENCE_VOID);
                break;
            case 2:
                if (f.sequence > 0) OK(event(&f, epoch, f.sequence) == FENCE_DOUBLE);
                break;
            case 3: /* it crashes within a command */
                whole = (uint32_t)rand() % size;
                for (uint32_t k = 0; k < whole; k++)
                    OK(command_event(&f, epoch, first, k, size).verdict == FENCE_PENDING);
                OK(fence(&f, ++epoch) == FENCE_RAISED);
                break;
            default:
                for (uint32_t k = 0; k < size; k++)
                    command_event(&f, epoch, first, k, size);
                expected += size;
            }
            OK(f.sequence == expected && f.pending == 0);
        }
    }
}

int main(void)
{
    kafka_writer_init(&writer);
    RUN(events_of_the_epoch_in_force_count);
    RUN(a_foreign_record_is_void);
    RUN(an_old_relay_behind_a_fence_is_void);
    RUN(the_first_fence_of_an_epoch_wins);
    RUN(a_record_before_its_fence_is_damage);
    RUN(a_gap_lasts_until_a_fence);
    RUN(a_double_is_dropped_unless_it_is_another);
    RUN(a_command_counts_as_a_whole);
    RUN(a_command_cut_short_is_written_again);
    RUN(a_torn_command_is_a_gap);
    RUN(damage_behind_a_fence_is_void);
    RUN(random_relays_agree);
    kafka_writer_fini(&writer);
    return t_done();
}
