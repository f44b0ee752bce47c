#include "cmd/settings/instance.h"

#include "cmd/settings/places.h"
#include "core/base/text.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define URN "urn:uuid:"

enum { CLAIMS_MAX = 16, FILE_MODE = 0600, UUID_BYTES = 16, UUID_LEN = 36 };

/* 8-4-4-4-12 digits (RFC 9562, section 4). */
static bool is_hyphen_at(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

static bool is_urn(const char *text)
{
	const char *uuid = text + strlen(URN);

	if (strncmp(text, URN, strlen(URN)) != 0 || strlen(uuid) != UUID_LEN)
		return false;
	for (size_t i = 0; i < UUID_LEN; i++)
		if (is_hyphen_at(i) ? uuid[i] != '-' : !isxdigit((unsigned char)uuid[i]))
			return false;
	return true;
}

/* Of chance (RFC 9562, section 5.4): nothing of the machine is told. */
static int make_urn(char urn[static INSTANCE_SIZE])
{
	struct text out = text_in(urn, INSTANCE_SIZE);
	uint8_t bytes[UUID_BYTES];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -EIO;
	bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
	bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
	text_puts(&out, URN);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		if (is_hyphen_at(out.len - strlen(URN)))
			text_putc(&out, '-');
		text_printf(&out, "%02x", bytes[i]);
	}
	return 0;
}

/* What stands in the file, or, if that is none, a new one. */
static int read_or_make(char urn[static INSTANCE_SIZE], int fd)
{
	ssize_t len = pread(fd, urn, INSTANCE_SIZE - 1, 0);
	int err;

	if (len < 0)
		return -errno;
	urn[len] = '\0';
	if (is_urn(urn))
		return 0;

	err = make_urn(urn);
	if (err)
		return err;
	len = (ssize_t)strlen(urn);
	if (ftruncate(fd, 0) != 0 || pwrite(fd, urn, (size_t)len, 0) != len)
		return errno ? -errno : -EIO;
	return 0;
}

/* -EAGAIN: another program has that one. */
static int claim(struct instance *out, unsigned number)
{
	char room[PLACES_PATH_SIZE], name[32];
	struct text path = TEXT_IN(room), file = TEXT_IN(name);
	int err;

	text_puts(&file, "instance");
	if (number > 1)
		text_printf(&file, ".%u", number);
	err = places_state(&path, name);
	if (err)
		return err;

	out->fd = open(room, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (out->fd < 0)
		return -errno;
	if (flock(out->fd, LOCK_EX | LOCK_NB) != 0)
		err = errno == EWOULDBLOCK ? -EAGAIN : -errno;
	if (!err)
		err = read_or_make(out->urn, out->fd);
	if (err)
		instance_release(out);
	return err;
}

int instance_claim(struct instance *out)
{
	int err = -EAGAIN;

	*out = (struct instance){.fd = -1};
	for (unsigned i = 1; i <= CLAIMS_MAX && err == -EAGAIN; i++)
		err = claim(out, i);
	return err;
}

void instance_release(struct instance *instance)
{
	if (instance->fd >= 0)
		close(instance->fd);
	instance->fd = -1;
	instance->urn[0] = '\0';
}
