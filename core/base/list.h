/*
 * A ring of links that live inside what they join: adding and removing cannot fail. The head is a
 * link of its own. Whoever holds the head owns the list; all on its thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next;
	struct list *prev;
};

#define container_of(pointer, type, member)                                                        \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* An empty list, or a link that is in none; both may be removed. */
static inline void list_init(struct list *link)
{
	link->next = link;
	link->prev = link;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

/* Adds link, which is in no list, as the last. */
static inline void list_add(struct list *head, struct list *link)
{
	link->prev = head->prev;
	link->next = head;
	head->prev->next = link;
	head->prev = link;
}

/* Takes link out of its list; it may be taken out again. */
static inline void list_remove(struct list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	list_init(link);
}

/* Runs through head; the link at hand may be removed and freed, but no other. */
#define list_each(link, head)                                                                      \
	for (struct list *link = (head)->next, *link##_next = link->next; link != (head);          \
		link = link##_next, link##_next = link->next)
