/* What is wrong with a file, in words for the person who named it. Any thread. */
#pragma once

#include "core/base/fault.h"

/* "PATH: no such file" and the like for err, a negative error code of the system. Returns err. */
int path_fault(struct fault *why, int err, const char *path);

/* The same with words of the caller's. */
int path_fault_words(struct fault *why, int err, const char *path, const char *words);
