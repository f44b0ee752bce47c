/*
 * What can be changed of a phone while it is there, by the command "set": one table. Names and
 * values are those of the options. On the agents' thread.
 */
#pragma once

#include "cmd/desk.h"
#include "core/base/fault.h"
#include "core/base/text.h"

enum { SETTING_SHOWN_SIZE = 512 };

struct setting;

/* The table. NULL behind the last. */
const struct setting *setting_at(size_t i);
const char *setting_name(const struct setting *setting);

/* "calls from now on", "at once": what a change is for. */
const char *setting_about(const struct setting *setting);

/* By name, or NULL. */
const struct setting *setting_find(struct slice name);

/* The nearest name, or NULL. */
const char *setting_nearest(struct slice name);

/* Appends its value. */
void setting_show(struct text *out, const struct setting *setting, const struct handset *handset);

/* Whether what may take long has to be asked of value before it is set (setting_check()). */
bool setting_is_slow(const struct setting *setting);

/* Whether value can be had; it reads from the disk. Any thread. */
int setting_check(const struct setting *setting, struct slice value, struct fault *why);

/* Sets it. -EINVAL with words in why; -ENOMEM. */
int setting_set(const struct setting *setting, struct handset *handset, struct slice value,
	struct fault *why);
