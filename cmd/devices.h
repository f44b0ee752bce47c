/* What there is to speak into and to hear from, in words for a person. */
#pragma once

#include "cmd/settings/options.h"
#include "core/base/fault.h"
#include "core/base/text.h"

enum { DEVICES_LIST_SIZE = 16384 }; /* room for what devices_list() writes of many devices */

/* What --list-devices prints. Errors as portaudio_list(). It takes its time: any thread. */
int devices_list(struct text *out, struct fault *why);

/* Whether options leave it to us what the call is spoken into, or heard from. */
bool devices_wanted(const struct options *options);

/*
 * Writes a line on what is missing of that, and what takes its place; nothing if nothing is. A
 * person who hears nothing shall not have to guess why. It takes its time: any thread.
 */
void devices_missing(struct text *out, const struct options *options);
