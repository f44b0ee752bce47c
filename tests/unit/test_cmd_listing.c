/* cmd/prompt/listing: the names of devices come as words, later, and not to whom is no longer
 * there. */
#include "cmd/prompt/listing.h"

#include "audio/portaudio.h"
#include "core/base/text.h"
#include "core/net/loop_uv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

enum { TIME_LIMIT_S = 20 };

static size_t allocations_left = SIZE_MAX;
static unsigned asked;

/* The linker sends each call of these functions to the first, by --wrap. */
void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__real_realloc(void *old, size_t size);
int __wrap_portaudio_each(
	enum port_way way, void (*each)(void *arg, const char *name), void *arg, struct fault *why);

static bool may_allocate(void)
{
	if (allocations_left == 0)
		return false;

	allocations_left--;
	return true;
}

void *__wrap_calloc(size_t count, size_t size)
{
	return may_allocate() ? __real_calloc(count, size) : NULL;
}

void *__wrap_realloc(void *old, size_t size)
{
	return may_allocate() ? __real_realloc(old, size) : NULL;
}

int __wrap_portaudio_each(
	enum port_way way, void (*each)(void *arg, const char *name), void *arg, struct fault *why)
{
	(void)why;
	asked++;
	each(arg, way == PORT_IN ? "Headset" : "Horn");
	if (way == PORT_IN)
		each(arg, "Web Cam");
	return 0;
}

struct heard {
	struct loop *loop;
	char room[256];
	struct text text;
};

static void on_done(void *arg, enum complete_list list, char *words, size_t len)
{
	struct heard *heard = arg;

	text_printf(&heard->text, "%d:", list);
	for (size_t at = 0; at < len; at += strlen(words + at) + 1)
		text_printf(&heard->text, "[%s]", words + at);
	free(words);
	if (list == COMPLETE_SPEAKERS)
		loop_uv_stop(heard->loop);
}

static struct listing *begin(struct heard *heard)
{
	struct listing *listing;

	alarm(TIME_LIMIT_S);
	heard->text = TEXT_IN(heard->room);
	asked = 0;
	assert_int_equal(loop_uv_new(&heard->loop), 0);
	assert_int_equal(listing_new(&listing, heard->loop, on_done, heard), 0);
	return listing;
}

static void test_words(void **state)
{
	struct heard heard;
	struct listing *listing = begin(&heard);

	(void)state;
	assert_int_equal(asked, 0);
	for (int i = 0; i < 2; i++) {
		heard.text = TEXT_IN(heard.room);
		listing_ask(listing);
		listing_ask(listing); /* one answer is on its way */
		loop_uv_run(heard.loop);
		assert_string_equal(
			heard.room, "2:[device:Headset][device:Web Cam]3:[device:Horn]");
	}
	assert_int_equal(asked, 4);
	listing_free(listing);
	listing_free(NULL);
	loop_uv_free(heard.loop);
}

static void test_nobody_is_there_any_more(void **state)
{
	struct heard heard;
	struct listing *listing = begin(&heard);

	(void)state;
	listing_ask(listing);
	listing_free(listing);
	loop_uv_free(heard.loop); /* which waits for the work */
	assert_int_equal(asked, 2);
	assert_string_equal(heard.room, "");
}

static void test_no_memory(void **state)
{
	struct heard heard;
	struct listing *listing = begin(&heard);
	struct listing *other;

	(void)state;
	allocations_left = 0;
	assert_int_equal(listing_new(&other, heard.loop, on_done, &heard), -ENOMEM);
	listing_ask(listing); /* without a place in the queue */
	allocations_left = 2;
	listing_ask(listing); /* with it, and with one name */
	loop_uv_run(heard.loop);
	allocations_left = SIZE_MAX;
	assert_string_equal(heard.room, "2:[device:Headset]3:");
	listing_free(listing);
	loop_uv_free(heard.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_nobody_is_there_any_more),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("cmd/prompt/listing", tests, NULL, NULL);
}
