#include "tests/sim/witness.h"

#include "tests/sim/bound.h"
#include "tests/sim/checks.h"
#include "tests/sim/ledger.h"
#include "tests/sim/trace.h"

#include <openssl/evp.h>
#include <stdlib.h>

enum { HEAD_SIZE = 28 };

struct witness {
	struct stage_result result;
	struct checks *checks;
	EVP_MD_CTX *hash;
	FILE *trace;
};

static int new_checks(struct checks **out, const struct play *play, const struct addr *addrs)
{
	uint64_t deaf_after_ns[PLAY_PHONES_MAX];
	const struct checks_config config = {
		.agents = play->phone_count,
		.addrs = addrs,
		.sound = play->media,
		.deaf_after_ns = deaf_after_ns,
		.timer_late_ns = play->world.timer_late_ns,
		.post_late_ns = play->world.post_late_ns,
		.way_ns = bound_of_way(play),
		.perfect = bound_is_perfect(play),
		.bound_ns = bound_of_play(play),
	};

	for (unsigned i = 0; i < play->phone_count; i++)
		deaf_after_ns[i] = play->phones[i].deaf_after_ns;
	return checks_new(out, &config);
}

static int make(struct witness *witness, const struct play *play, const struct addr *addrs)
{
	witness->hash = EVP_MD_CTX_new();
	if (!witness->hash || !EVP_DigestInit_ex(witness->hash, EVP_sha256(), NULL))
		return -ENOMEM;
	return new_checks(&witness->checks, play, addrs);
}

int witness_new(
	struct witness **out, const struct play *play, const struct addr *addrs, FILE *trace)
{
	struct witness *witness;
	int err = -ENOMEM;

	ledger_pause();
	witness = calloc(1, sizeof(*witness));
	if (witness) {
		witness->trace = trace;
		err = make(witness, play, addrs);
		if (err)
			witness_free(witness);
	}
	ledger_resume();
	*out = err ? NULL : witness;
	return err;
}

void witness_free(struct witness *witness)
{
	ledger_pause();
	checks_free(witness->checks);
	EVP_MD_CTX_free(witness->hash);
	free(witness);
	ledger_resume();
}

void witness_step(struct witness *witness, const struct play_step *step)
{
	if (witness->trace)
		trace_step(witness->trace, step);
}

void witness_event(
	struct witness *witness, unsigned phone, const struct ua_event *event, uint64_t now_ns)
{
	witness->result.events++;
	witness->result.answered += event->kind == UA_CALL_ENDED && event->ended.answered;
	if (witness->trace)
		trace_event(witness->trace, now_ns, play_name(phone), event);
	ledger_pause();
	checks_event(witness->checks, phone, event, now_ns);
	ledger_resume();
}

static void hash_datagram(struct witness *witness, enum world_wire what, uint64_t now_ns,
	const struct addr *from, const struct addr *to, struct slice bytes)
{
	uint8_t head[HEAD_SIZE];

	be32_put(head, (uint32_t)what);
	be32_put(head + 4, (uint32_t)(now_ns >> 32));
	be32_put(head + 8, (uint32_t)now_ns);
	memcpy(head + 12, from->ip, 4);
	memcpy(head + 16, to->ip, 4);
	be16_put(head + 20, from->port);
	be16_put(head + 22, to->port);
	be32_put(head + 24, (uint32_t)bytes.len);
	EVP_DigestUpdate(witness->hash, head, sizeof(head));
	EVP_DigestUpdate(witness->hash, bytes.data, bytes.len);
}

void witness_wire(struct witness *witness, enum world_wire what, uint64_t now_ns,
	const struct addr *from, const struct addr *to, struct slice bytes)
{
	witness->result.datagrams += what == WORLD_SENT || what == WORLD_STREAM_SENT;
	hash_datagram(witness, what, now_ns, from, to, bytes);
	if (witness->trace)
		trace_wire(witness->trace, what, now_ns, from, to, bytes);
	ledger_pause();
	checks_wire(witness->checks, what, now_ns, from, to, bytes);
	ledger_resume();
}

void witness_hangup(struct witness *witness, unsigned phone, unsigned call, uint64_t now_ns)
{
	ledger_pause();
	checks_hangup(witness->checks, phone, call, now_ns);
	ledger_resume();
}

void witness_hold(
	struct witness *witness, unsigned phone, unsigned call, bool hold, uint64_t now_ns)
{
	ledger_pause();
	checks_hold(witness->checks, phone, call, hold, now_ns);
	ledger_resume();
}

void witness_crash(struct witness *witness, unsigned phone, uint64_t now_ns)
{
	ledger_pause();
	checks_crash(witness->checks, phone, now_ns);
	ledger_resume();
}

void witness_move(struct witness *witness, unsigned phone, const struct addr *addr, uint64_t now_ns)
{
	ledger_pause();
	checks_move(witness->checks, phone, addr, now_ns);
	ledger_resume();
}

void witness_hears(struct witness *witness, unsigned phone, uint64_t now_ns)
{
	ledger_pause();
	checks_hears(witness->checks, phone, now_ns);
	ledger_resume();
}

void witness_quiet(
	struct witness *witness, const struct world_left *left, size_t bytes, uint64_t now_ns)
{
	ledger_pause();
	checks_quiet(witness->checks, left, bytes, now_ns);
	ledger_resume();
}

static void note(struct stage_result *out, const char *name, const char *section, const char *words,
	uint64_t at_ns)
{
	if (out->name[0] != '\0')
		return;

	snprintf(out->name, sizeof(out->name), "%s", name);
	snprintf(out->section, sizeof(out->section), "%s", section);
	snprintf(out->words, sizeof(out->words), "%s", words);
	out->at_ns = at_ns;
}

/* What the invariants saw first comes first. */
static void look(struct witness *witness)
{
	const struct checks_failure *failure = checks_failure(witness->checks);

	if (failure)
		note(&witness->result, failure->name, failure->section, failure->words,
			failure->at_ns);
}

void witness_fail(struct witness *witness, const char *name, uint64_t now_ns)
{
	look(witness);
	note(&witness->result, name, "our own design, section 7", "it did not end", now_ns);
}

void witness_tell(struct stage_result *out, struct witness *witness)
{
	look(witness);
	*out = witness->result;
	EVP_DigestFinal_ex(witness->hash, out->hash, NULL);
}
