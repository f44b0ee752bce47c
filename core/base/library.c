#include "core/base/library.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

enum { SYMBOLS_MAX = 64 };

/* Who finds a table filled under it may use the table. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static int load(void *table, const char *file, const struct library_symbol *symbols, size_t count,
	struct fault *why)
{
	void *found[SYMBOLS_MAX];
	void *library;

	/* its names are for it alone: RTLD_LOCAL */
	library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return fault_set(why, -ENOENT, "the library %s is not installed", file);

	for (size_t i = 0; i < count; i++) {
		found[i] = dlsym(library, symbols[i].name);
		if (!found[i]) {
			dlclose(library);
			return fault_set(why, -ENOSYS, "the library %s is too old: it lacks %s",
				file, symbols[i].name);
		}
	}
	/* byte by byte, for C knows no way from an object's pointer to a function's (POSIX does) */
	for (size_t i = 0; i < count; i++)
		memcpy((char *)table + symbols[i].at, &found[i], sizeof(found[i]));
	return 0;
}

int library_load(void *table, const char *file, const struct library_symbol *symbols, size_t count,
	struct fault *why)
{
	void *first;
	int err = 0;

	assert(count > 0 && count <= SYMBOLS_MAX);

	pthread_mutex_lock(&mutex);
	memcpy(&first, (char *)table + symbols[0].at, sizeof(first));
	if (!first)
		err = load(table, file, symbols, count, why);
	pthread_mutex_unlock(&mutex);
	return err;
}
