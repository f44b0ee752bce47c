/*
 * A password, kept where neither a core dump nor the swap finds it, and wiped when it goes. Whoever
 * makes one owns it. Any thread that has it alone.
 */
#pragma once

#include "core/base/bytes.h"

struct secret;

enum { SECRET_MAX = 1024 }; /* bytes */

/* Copies text; what it is copied from stays the caller's to wipe. -EMSGSIZE, -ENOMEM. */
int secret_new(struct secret **out, struct slice text);

/* Good as long as it is. NULL: empty. */
struct slice secret_text(const struct secret *secret);

/* NULL is allowed. */
void secret_free(struct secret *secret);
