/* Of scarce.h: malloc(), for tests that want it to fail, too. */
#include "tests/unit/scarce.h"

void *__wrap_malloc(size_t size);
void *__real_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
	return scarce_may_allocate() ? __real_malloc(size) : NULL;
}
