/*
 * Where files of ours are, by the XDG base directory specification: settings that a person writes,
 * and state that we keep. Any thread, as long as nobody changes the environment.
 */
#pragma once

#include "core/base/text.h"

enum { PLACES_PATH_SIZE = 4096 };

/* Appends the person's home. -ENOENT: there is none; -ENAMETOOLONG. */
int places_home(struct text *out);

/*
 * $XDG_CONFIG_HOME/sipcall/sipcall.conf, or where it is without that variable. Whether it is there
 * is not asked. -ENOENT: there is no home; -ENAMETOOLONG.
 */
int places_config(struct text *out);

/*
 * $XDG_STATE_HOME/sipcall/NAME. The folder is made, for its owner alone, if it is not there yet. A
 * disk may make it wait. Errors as above, or as mkdir() has them: out has then the folder.
 */
int places_state(struct text *out, const char *name);
