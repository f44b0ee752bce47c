#include "audio/path.h"

#include "core/base/text.h"

#include <string.h>

enum { SHOWN = FAULT_SIZE / 4 * 3 }; /* bytes of a path: all of it as a rule, for copying */

static const struct {
	int err;
	const char *words;
} known[] = {
	{-ENOENT, "no such file"},
	{-EACCES, "permission denied"},
	{-EPERM, "permission denied"},
	{-EISDIR, "is a directory"},
	{-ENOTDIR, "a part of the path is no directory"},
	{-EEXIST, "it exists already, and is not overwritten; choose another name"},
	{-ENOSPC, "the disk is full"},
	{-EROFS, "the disk is read-only"},
	{-ENAMETOOLONG, "the name is too long"},
	{-EMFILE, "too many files are open"},
	{-ENOBUFS, "the disk was too slow, and a part is missing"},
	{-ENOMEM, "too little memory"},
};

int path_fault(struct fault *why, int err, const char *path)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].err == err)
			return path_fault_words(why, err, path, known[i].words);

	return path_fault_words(why, err, path, strerror(-err));
}

int path_fault_words(struct fault *why, int err, const char *path, const char *words)
{
	char room[FAULT_SIZE];
	struct text text = TEXT_IN(room);
	size_t len = strlen(path);
	size_t skip = len > SHOWN ? len - SHOWN : 0; /* its end tells most */

	text_puts(&text, skip > 0 ? "..." : "");
	text_put_escaped(&text, slice_of(path + skip));
	text_puts(&text, ": ");
	text_put_escaped(&text, slice_of(words));
	return fault_set(why, err, "%s", text.data);
}
