/* What the ladder's files share: a call as it is kept, how a message becomes a row of it, and how
 * rows are drawn. On the agent's thread, as ladder.h. */
#pragma once

#include "cmd/readers/ladder.h"
#include "core/base/list.h"
#include "core/base/text.h"
#include "core/sip/msg.h"

enum {
	LADDER_FARS = 4, /* columns of far ends; what comes from further ones goes to the last */
	LADDER_NAME_SIZE = 64,
	LADDER_LABEL_SIZE = 96,
	LADDER_LINE_SIZE = 2048,
	LADDER_CODEC_SIZE = 24,
};

enum ladder_kind { LADDER_MESSAGE, LADDER_SOUND };

/* One row. Its texts are escaped already. */
struct ladder_entry {
	struct list link;
	enum ladder_kind kind;
	uint64_t wall_ns;
	uint64_t hash; /* of the message, to know it when it comes again */
	size_t far;
	bool sent;
	char label[LADDER_LABEL_SIZE];  /* "INVITE", "200 OK (BYE)", "RTP opus 50/s" */
	char target[LADDER_LABEL_SIZE]; /* the URI of a request */
	char note[LADDER_LABEL_SIZE];   /* for the margin */
};

struct ladder_far {
	struct addr addr;
	uint64_t tag;    /* of the dialog, hashed; 0: not known */
	uint64_t target; /* the URI that was called there, hashed; 0: none */
	bool stands;     /* an INVITE was answered with 2xx */
	char name[LADDER_NAME_SIZE];
};

/* One direction of a call's sound, as it was shown last. */
struct ladder_sound {
	char codec[LADDER_CODEC_SIZE]; /* empty: none yet */
	bool shown;
	double rate; /* packets/s */
	uint64_t packets;
	double since_s;
};

struct ladder_call {
	struct list link;
	unsigned call; /* 0: not known, or no call */
	bool invited;
	bool ended;
	uint64_t first_ns;
	char us[LADDER_NAME_SIZE];
	struct addr local;
	struct ladder_far fars[LADDER_FARS];
	size_t far_count;
	struct list entries; /* of struct ladder_entry, the oldest first */
	size_t entry_count;
	unsigned forgotten; /* entries that went, before these */
	bool encrypted;
	char media[ADDR_TEXT_SIZE]; /* where our sound goes */
	struct ladder_sound sent;
	struct ladder_sound received;
	size_t id_len;
	uint8_t id[]; /* Call-ID */
};

/* Fills in what msg is, and the columns of call that it has to do with. */
void ladder_read(struct ladder_entry *out, struct ladder_call *call, const struct sip_msg *msg,
	bool sent, const struct addr *remote);

/* How it looks. */
struct ladder_look {
	bool utf8;
	size_t columns;
};

/* The lines above the rows: who stands where. */
void ladder_draw_head(const struct ladder_look *look, const struct ladder_call *call,
	ladder_line *line, void *arg);

void ladder_draw_entry(const struct ladder_look *look, const struct ladder_call *call,
	const struct ladder_entry *entry, ladder_line *line, void *arg);

/* One line of ladder_last(). */
void ladder_draw_short(const struct ladder_call *call, const struct ladder_entry *entry,
	ladder_line *line, void *arg);
