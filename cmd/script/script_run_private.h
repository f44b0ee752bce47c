/* A script that runs: what the files of cmd/script/script_run share, and with nobody else. */
#pragma once

#include "cmd/queue.h"
#include "cmd/script/inbox.h"
#include "cmd/script/report.h"
#include "cmd/script/script_check.h"
#include "cmd/script/script_phone.h"
#include "cmd/script/script_run.h"

/* A repeat that goes on. */
struct round {
	size_t begin; /* its line */
	unsigned left;
	unsigned rounds; /* in all, with those of the repeats around it */
};

/* A command that was begun and has not ended, or that has failed and nobody has expected that. */
struct begun {
	struct list link;
	const struct script_line *line;
	struct script_phone *phone;
	uint64_t begin_ns;
	bool expects;     /* something */
	bool expects_end; /* of a call */
	unsigned call;    /* of what has failed; 0: no call */
	char *words;      /* why it has failed; NULL: it has not */
};

struct script_run {
	struct script_run_config config;
	struct options defaults;
	struct scope *scope;
	struct inbox *inbox;
	struct queue *queue;
	struct report *report;
	struct script_phone *phones[SCRIPT_PHONES_MAX + 1];
	size_t phone_count;
	struct step *step;

	size_t at; /* the line that is next */
	struct round rounds[SCRIPT_DEPTH_MAX];
	size_t depth;
	struct begun *waited; /* NULL: none is waited for */
	struct list behind;   /* begun with &, the oldest first */
	struct list owed;     /* of those, that have failed */
	bool over;
	bool met; /* all that was expected, whatever comes of the report */
	int exit;
	uint64_t begin_ns;
	uint64_t begin_wall_ns;
	uint64_t ns;      /* that it took */
	struct post post; /* to go on */
	bool posted;
	struct work work; /* the report's files */
	struct fault why; /* they could not be written */
	int err;
};

uint64_t script_run_now(const struct script_run *run);

/* Shows whole lines to a person; arg is the run. */
void script_run_show(void *arg, struct slice lines);

/* A command has ended as it should: a point of the report. */
void script_run_pass(struct script_run *run, const struct begun *begun);

/* Something has not come as it should: the last point. phone: NULL, if it is about none. */
void script_run_fail(struct script_run *run, const struct script_line *line,
	const struct script_phone *phone, const char *words, uint64_t ns);

/* Something of this machine's, or a mistake in the script, is in the way. */
void script_run_spoil(struct script_run *run, int exit, const char *words);
void script_run_mistake(
	struct script_run *run, const struct script_line *line, size_t at, const char *words);

/* Once: nothing is begun any more, and what there is to tell is written. */
void script_run_over(struct script_run *run, int exit);

/* How it went in all. */
void script_run_show_summary(struct script_run *run);
