#include "tests/sim/shrink.h"

#include <stdlib.h>

struct shrinker {
	struct play *best;
	struct play *next; /* what is tried */
	unsigned tries;
	unsigned left;
	shrink_try *try;
	void *arg;
};

static bool attempt(struct shrinker *self)
{
	if (self->left == 0)
		return false;

	self->left--;
	self->tries++;
	if (!self->try(self->arg, self->next))
		return false;
	*self->best = *self->next;
	return true;
}

static void drop_steps(struct play *play, unsigned from, unsigned count)
{
	memmove(&play->steps[from], &play->steps[from + count],
		(play->step_count - from - count) * sizeof(play->steps[0]));
	play->step_count -= count;
}

/* Halves first, then smaller and smaller pieces. */
static bool fewer_steps(struct shrinker *self)
{
	bool better = false;

	for (unsigned piece = (self->best->step_count + 1) / 2; piece > 0; piece /= 2)
		for (unsigned from = self->best->step_count; from >= piece;) {
			from -= piece;
			if (from + piece > self->best->step_count)
				continue;
			*self->next = *self->best;
			drop_steps(self->next, from, piece);
			if (attempt(self))
				better = true;
			if (from < piece && from > 0)
				from = piece;
		}
	return better;
}

static bool is_used(const struct play *play, unsigned phone)
{
	for (unsigned i = 0; i < play->step_count; i++) {
		const struct play_step *step = &play->steps[i];
		bool has_object = step->verb == PLAY_CALLS || step->verb == PLAY_LOSES ||
				  step->verb == PLAY_FINDS;

		if (step->verb != PLAY_NET && step->who == phone)
			return true;
		if (has_object && step->whom == phone)
			return true;
	}
	return false;
}

static void drop_phone(struct play *play, unsigned phone)
{
	memmove(&play->phones[phone], &play->phones[phone + 1],
		(play->phone_count - phone - 1) * sizeof(play->phones[0]));
	play->phone_count--;
	for (unsigned i = 0; i < play->step_count; i++) {
		struct play_step *step = &play->steps[i];

		step->who -= step->who > phone;
		step->whom -= step->whom > phone;
	}
}

static bool fewer_phones(struct shrinker *self)
{
	bool better = false;

	for (unsigned phone = self->best->phone_count;
		phone-- > 0 && self->best->phone_count > 1;) {
		if (is_used(self->best, phone))
			continue;
		*self->next = *self->best;
		drop_phone(self->next, phone);
		better |= attempt(self);
	}
	return better;
}

/* Sets size bytes of the play to 0, if they are not. */
static bool without(struct shrinker *self, size_t offset, size_t size)
{
	unsigned char *at = (unsigned char *)self->next + offset;
	bool is_zero = true;

	*self->next = *self->best;
	for (size_t i = 0; i < size; i++)
		is_zero &= at[i] == 0;
	if (is_zero)
		return false;
	memset(at, 0, size);
	return attempt(self);
}

#define FIELD(type, field)                                                                         \
	{                                                                                          \
		offsetof(struct type, field), sizeof(((struct type *)NULL)->field)                 \
	}

struct field {
	size_t offset;
	size_t size;
};

static const struct field net_fields[] = {
	FIELD(impair_config, loss),
	FIELD(impair_config, burst_begins),
	FIELD(impair_config, burst_ends),
	FIELD(impair_config, burst_loss),
	FIELD(impair_config, delay_ns),
	FIELD(impair_config, jitter_ns),
	FIELD(impair_config, spread),
	FIELD(impair_config, reorders),
	FIELD(impair_config, duplicates),
	FIELD(impair_config, corrupts),
	FIELD(impair_config, rate_bps),
	FIELD(impair_config, queue_bytes),
};

static const struct field phone_fields[] = {
	FIELD(play_phone, answers),
	FIELD(play_phone, rings),
	FIELD(play_phone, pcma),
	FIELD(play_phone, after_ns),
	FIELD(play_phone, lasts_ns),
	FIELD(play_phone, gives_up_ns),
	FIELD(play_phone, at_most),
	FIELD(play_phone, refuses),
	FIELD(play_phone, deaf_after_ns),
	FIELD(play_phone, anywhere),
	FIELD(play_phone, wordy),
	FIELD(play_phone, udp_only),
	FIELD(play_phone, mic),
};

static const struct field world_fields[] = {
	FIELD(world_config, timer_late_ns),
	FIELD(world_config, post_late_ns),
	FIELD(world_config, work_late_ns),
	FIELD(world_config, way_ns),
};

static bool without_each(
	struct shrinker *self, size_t base, const struct field *fields, size_t count)
{
	bool better = false;

	for (size_t i = 0; i < count; i++)
		better |= without(self, base + fields[i].offset, fields[i].size);
	return better;
}

#define WITHOUT_EACH(self, base, fields)                                                           \
	without_each((self), (base), (fields), sizeof(fields) / sizeof((fields)[0]))

static bool simpler_settings(struct shrinker *self)
{
	bool better = false;

	better |= without(self, offsetof(struct play, media), sizeof(bool));
	better |= without(self, offsetof(struct play, net), sizeof(struct impair_config));
	better |= WITHOUT_EACH(self, offsetof(struct play, net), net_fields);
	better |= WITHOUT_EACH(self, offsetof(struct play, world), world_fields);
	for (unsigned i = 0; i < self->best->phone_count; i++)
		better |= WITHOUT_EACH(self,
			offsetof(struct play, phones) + i * sizeof(struct play_phone),
			phone_fields);
	for (unsigned i = 0; i < self->best->step_count; i++) {
		size_t step = offsetof(struct play, steps) + i * sizeof(struct play_step);

		better |= without(self, step + offsetof(struct play_step, by_name), sizeof(bool));
		better |= without(self, step + offsetof(struct play_step, over_tcp), sizeof(bool));
		better |= WITHOUT_EACH(self, step + offsetof(struct play_step, net), net_fields);
	}
	return better;
}

/* Rounds the time at offset down, as coarsely as may be; a step not to before the one above. */
static bool rounder(struct shrinker *self, size_t offset, uint64_t least_ns)
{
	static const uint64_t units[] = {
		NS_PER_S, 100 * NS_PER_MS, 10 * NS_PER_MS, NS_PER_MS, 100 * NS_PER_US};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		uint64_t *time = (uint64_t *)(void *)((unsigned char *)self->next + offset);
		uint64_t rest;

		*self->next = *self->best;
		rest = *time % units[i];
		if (rest == 0)
			return false; /* it is as round as that */
		if (*time < units[i] || *time - rest < least_ns)
			continue;
		*time -= rest;
		if (attempt(self))
			return true;
	}
	return false;
}

static bool rounder_times(struct shrinker *self)
{
	static const size_t phone_times[] = {offsetof(struct play_phone, after_ns),
		offsetof(struct play_phone, lasts_ns), offsetof(struct play_phone, gives_up_ns),
		offsetof(struct play_phone, deaf_after_ns)};
	static const size_t net_times[] = {offsetof(struct impair_config, delay_ns),
		offsetof(struct impair_config, jitter_ns)};
	bool better = false;

	for (unsigned i = 0; i < self->best->step_count; i++)
		better |= rounder(self,
			offsetof(struct play, steps) + i * sizeof(struct play_step) +
				offsetof(struct play_step, at_ns),
			i > 0 ? self->best->steps[i - 1].at_ns : 0);
	for (unsigned i = 0; i < self->best->phone_count; i++)
		for (size_t j = 0; j < sizeof(phone_times) / sizeof(phone_times[0]); j++)
			better |= rounder(self,
				offsetof(struct play, phones) + i * sizeof(struct play_phone) +
					phone_times[j],
				0);
	for (size_t j = 0; j < 2; j++)
		better |= rounder(self, offsetof(struct play, net) + net_times[j], 0);
	return better;
}

int shrink_play(struct play *play, unsigned tries, shrink_try *try, void *arg)
{
	struct shrinker self = {.best = play, .left = tries, .try = try, .arg = arg};
	bool better = true;

	self.next = malloc(sizeof(*self.next));
	if (!self.next)
		return -ENOMEM;

	while (better && self.left > 0) {
		better = fewer_steps(&self);
		better |= fewer_phones(&self);
		better |= simpler_settings(&self);
		better |= rounder_times(&self);
	}
	free(self.next);
	return (int)self.tries;
}
