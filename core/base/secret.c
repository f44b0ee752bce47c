#include "core/base/secret.h"

#include <errno.h>
#include <sys/mman.h>

/* A mapping of its own, so that what is said of the memory is said of this alone. */
struct secret {
	size_t len;
	uint8_t text[SECRET_MAX];
};

int secret_new(struct secret **out, struct slice text)
{
	struct secret *secret;

	if (text.len > SECRET_MAX)
		return -EMSGSIZE;
	secret = mmap(
		NULL, sizeof(*secret), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (secret == MAP_FAILED)
		return -ENOMEM;

	/* as well as the system can: a limit may forbid the second */
	(void)madvise(secret, sizeof(*secret), MADV_DONTDUMP);
	(void)mlock(secret, sizeof(*secret));
	secret->len = text.len;
	if (text.len > 0)
		memcpy(secret->text, text.data, text.len);
	*out = secret;
	return 0;
}

struct slice secret_text(const struct secret *secret)
{
	return secret ? (struct slice){secret->text, secret->len} : (struct slice){0};
}

void secret_free(struct secret *secret)
{
	if (!secret)
		return;

	explicit_bzero(secret, sizeof(*secret));
	munmap(secret, sizeof(*secret));
}
