#include "tests/sim/ledger.h"

#include <malloc.h>

static ptrdiff_t bytes;
static unsigned paused;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *old);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *old);

static void *came(void *block)
{
	if (paused == 0)
		bytes += (ptrdiff_t)malloc_usable_size(block);
	return block;
}

static void goes(void *block)
{
	if (paused == 0)
		bytes -= (ptrdiff_t)malloc_usable_size(block);
}

void *__wrap_malloc(size_t size)
{
	return came(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
	return came(__real_calloc(count, size));
}

/* Where there is no memory, the old block stays. */
void *__wrap_realloc(void *old, size_t size)
{
	void *block;

	goes(old);
	block = __real_realloc(old, size);
	return came(block || size == 0 ? block : old) ? block : NULL;
}

void __wrap_free(void *old)
{
	goes(old);
	__real_free(old);
}

ptrdiff_t ledger_bytes(void)
{
	return bytes;
}

void ledger_pause(void)
{
	paused++;
}

void ledger_resume(void)
{
	paused--;
}
