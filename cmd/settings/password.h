/*
 * Where passwords come from that stand in no file: a program that prints one, and a person at the
 * terminal. Both wait, so they are asked before the threads run.
 */
#pragma once

#include "core/base/fault.h"

struct secret;

/* The first line that command prints, by /bin/sh. -EINVAL with words in why; -ENOMEM. */
int password_run(struct secret **out, const char *command, struct fault *why);

/*
 * What a person types at the terminal, which is not shown; *out is NULL if that is nothing, or if
 * there is no terminal. -EINTR: by Ctrl-C; -ENOMEM; words in why.
 */
int password_ask(struct secret **out, const char *account, struct fault *why);
