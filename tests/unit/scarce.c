#include "tests/unit/scarce.h"

#include <stdbool.h>

size_t allocations_left = SIZE_MAX;

/* The linker sends each calloc() and malloc() of the program to the first, by --wrap. */
void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__real_malloc(size_t size);

static bool may_allocate(void)
{
	if (allocations_left == 0)
		return false;

	if (allocations_left != SIZE_MAX)
		allocations_left--;
	return true;
}

void *__wrap_calloc(size_t count, size_t size)
{
	return may_allocate() ? __real_calloc(count, size) : NULL;
}

void *__wrap_malloc(size_t size)
{
	return may_allocate() ? __real_malloc(size) : NULL;
}
