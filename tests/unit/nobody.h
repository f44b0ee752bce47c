/* For tests of what may not be done: root may do all, so it steps aside for a while. */
#pragma once

#include <unistd.h>

enum { NOBODY = 65534 };

/* Returns who we were. Must be undone. */
static inline uid_t nobody_begin(void)
{
	uid_t before = geteuid();

	if (before == 0 && setresuid(NOBODY, NOBODY, 0) != 0)
		_exit(99);
	return before;
}

static inline void nobody_end(uid_t before)
{
	if (before == 0 && setresuid(0, 0, 0) != 0)
		_exit(99);
}
