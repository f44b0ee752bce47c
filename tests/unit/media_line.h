/*
 * Two ends of a call's sound in a simulated world, and what goes between them: for the tests of
 * core/media/media.
 */
#pragma once

#include "core/media/media.h"
#include "core/net/loop_sim.h"
#include "core/rtp/packet.h"

enum { FRAME = 160, SILENCE_S = 4 };

struct end {
	struct loop *agent, *media_loop;
	struct media *media;
	struct media_params params;
	struct addr host, local;
	struct stream_report last;
	struct stream_report report;
	struct fault why;
	unsigned silent;
	struct media_format heard; /* as was told last, so often */
	unsigned heard_told;
	bool closed;
	bool may_fail; /* to begin; why it did: */
	struct fault failed;
	struct rtp_packet packet; /* of those sent, the last; its payload is gone */
	unsigned rtp, rtcp, marked, jumps;
	uint32_t bye_of;
};

struct line {
	struct world *world;
	struct end ends[2];
};

/* A test's state is the line; nothing is started. Each end sends a tone of PCMU to the other. */
struct device_maker;

int line_set_up(void **state);

/* The same, with another speaker at the first end, and devices for it. */
int line_set_up_with(void **state, const char *speaker, const struct device_maker *devices);

int line_tear_down(void **state);

void line_run_ms(struct line *line, uint64_t ms);
void line_close_end(struct line *line, struct end *end);

/* Starts one, or both and lets ms go by. */
void end_start(struct end *end);
void line_start(struct line *line, uint64_t ms);

/* Goes on with the end's params. */
void end_change(struct end *end);

/* That codec, by that payload type, both ways. */
void end_turn_to(struct end *end, const struct codec *codec, uint8_t payload_type);
void end_turn(struct end *end, uint8_t codec, uint8_t payload_type);

void end_set_volume(struct end *end, double mic_db, double speaker_db, bool muted);

/* Neither sends nor receives; or both do again. */
void line_hold(struct line *line, bool on);
