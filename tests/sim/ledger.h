/*
 * Counts the bytes that our own code has allocated and not given back: the linker sends its
 * malloc(), calloc(), realloc() and free() here (--wrap); what libraries allocate for themselves is
 * theirs. One count for the whole program, as there is one heap; one thread.
 */
#pragma once

#include <stddef.h>

/* Since the program began, or negative if more was freed than allocated while it counted. */
ptrdiff_t ledger_bytes(void);

/* What looks on allocates, too: between these nothing is counted. They may be nested. */
void ledger_pause(void);
void ledger_resume(void);
