/*
 * What the files that look up names share, and nobody else: resolve.c has the life of a question
 * and asks the system, dns.c asks name servers. On the loop's thread.
 */
#pragma once

#include "core/net/loop_uv_private.h"

struct question {
	struct resolve resolve;
	struct list link; /* among the loop's questions */
	enum dns_type type;
	uv_getaddrinfo_t system; /* where the system is asked */
	bool held;               /* c-ares or libuv has it, until question_answered() */
	bool by_dns;             /* dns.c is asked */
	struct timer limit;      /* or, once it is answered, when that is told */
	resolve_done *done;      /* NULL: nobody wants to know any more */
	void *arg;
	struct dns_answer answer;
	struct dns_record records[DNS_RECORDS_MAX];
};

/* Whoever was asked has filled the answer and holds it no more. Maybe it is gone after this. */
void question_answered(struct question *question);

/*
 * Asks the name servers; question_answered() comes then, maybe before this returns. -ENOMEM,
 * -ENOTSUP: there is no c-ares on this machine; -EPROTO: the servers that were named are none.
 */
int dns_uv_ask(struct question *question, const char *name);

/* Nobody waits for an answer of name servers any more: forgets what is asked, and the servers. */
void dns_uv_close(struct loop_uv *loop);

/* That were asked, in words. "" if nobody is asked now. */
const char *dns_uv_servers(const struct loop_uv *loop);
