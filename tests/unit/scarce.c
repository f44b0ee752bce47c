#include "tests/unit/scarce.h"

size_t allocations_left = SIZE_MAX;

/* The linker sends each calloc() of the program to the first, by --wrap. */
void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

bool scarce_may_allocate(void)
{
	if (allocations_left == 0)
		return false;

	if (allocations_left != SIZE_MAX)
		allocations_left--;
	return true;
}

void *__wrap_calloc(size_t count, size_t size)
{
	return scarce_may_allocate() ? __real_calloc(count, size) : NULL;
}
