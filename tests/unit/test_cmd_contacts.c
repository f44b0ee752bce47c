/* cmd/settings/contacts: who is taken and who is not, and who is found by which name. */
#include "cmd/settings/contacts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define NAME_64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static size_t allocations_left = SIZE_MAX;

void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations_left == 0)
		return NULL;

	allocations_left--;
	return __real_calloc(count, size);
}

static int add(struct contacts *contacts, const char *name, const char *target, struct fault *why)
{
	return contacts_add(contacts, slice_of(name), slice_of(target), why);
}

static void test_wrong(void **state)
{
	static const struct {
		const char *name, *target;
		int err;
		const char *words;
	} rows[] = {
		{"", "a@b", -EINVAL, "a contact needs a name"},
		{NAME_64 "x", "a@b", -EINVAL, "a contact's name has at most 64 bytes"},
		{"#2", "a@b", -EINVAL, "a contact's name cannot begin like #2"},
		{"a\r\x1b", "a@b", -EINVAL, "a contact's name is text in UTF-8, not a\\x0d\\x1b"},
		{"a\xbc", "a@b", -EINVAL, "a contact's name is text in UTF-8, not a\\xbc"},
		{"-x", "a@b", -EINVAL, "a contact's name cannot begin like -x"},
		{"a@b", "c@d", -EINVAL, "a@b is an address; a contact needs a name"},
		{"x@", "c@d", -EINVAL, "x@ is an address; a contact needs a name"},
		{"127.0.0.1", "c@d", -EINVAL, "127.0.0.1 is an address; a contact needs a name"},
		{"LOCALHOST", "c@d", -EINVAL, "LOCALHOST is an address; a contact needs a name"},
		{"al", "", -EINVAL, "al: the address is empty"},
		{"al", "bob", -EINVAL, "al: a name alone says nothing of where: write NAME@HOST"},
		{"al", "mailto:a@b", -EINVAL, "al: not a SIP address: mailto"},
		{"al", "Al <sip:a@b", -EINVAL, "al: the bracket is not closed"},
		{"al", "tel:x", -EINVAL,
			"al: a telephone number begins with a digit, or with + and a digit"},
		{"bob", "a@b", -EEXIST, ""},
		{"BoB", "a@b", -EEXIST, ""},
	};
	struct contacts *contacts;

	(void)state;
	assert_int_equal(contacts_new(&contacts), 0);
	assert_int_equal(add(contacts, "bob", "bob@example.org", NULL), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fault why = {""};
		int err = add(contacts, rows[i].name, rows[i].target, &why);

		if (err != rows[i].err || strcmp(why.words, rows[i].words) != 0)
			fail_msg("row %zu: got %d %s", i, err, why.words);
	}
	assert_int_equal(add(contacts, "carol", "+49 171 234-5", NULL), 0);
	assert_int_equal(add(contacts, "dave", "tel:7042;phone-context=example.org", NULL), 0);
	assert_int_equal(contacts_count(contacts), 3);
	contacts_free(contacts);
}

static void test_found(void **state)
{
	struct contacts *contacts;

	(void)state;
	assert_int_equal(contacts_new(&contacts), 0);
	assert_int_equal(add(contacts, "bob", "bob@example.org", NULL), 0);
	assert_int_equal(add(contacts, "Carol Example", "Carol <sip:carol@[::1]>", NULL), 0);
	assert_int_equal(add(contacts, "J\xc3\xb6rg", "sip:j@x", NULL), 0);
	assert_int_equal(add(contacts, NAME_64, "x@y", NULL), 0);

	assert_string_equal(contacts_find(contacts, slice_of("BOB"))->target, "bob@example.org");
	assert_string_equal(
		contacts_find(contacts, slice_of("carol example"))->name, "Carol Example");
	assert_string_equal(contacts_find(contacts, slice_of("j\xc3\xb6rg"))->target, "sip:j@x");
	assert_null(contacts_find(contacts, slice_of("bo")));
	assert_null(contacts_find(contacts, slice_of("bobb")));
	assert_null(contacts_find(contacts, slice_of("")));
	assert_string_equal(contacts_nearest(contacts, slice_of("bbo")), "bob");
	assert_string_equal(contacts_nearest(contacts, slice_of("carol")), "Carol Example");
	assert_null(contacts_nearest(contacts, slice_of("xyzzy")));

	assert_int_equal(contacts_count(contacts), 4);
	assert_string_equal(contacts_at(contacts, 0)->name, "bob");
	assert_string_equal(contacts_at(contacts, 3)->name, NAME_64);
	contacts_free(contacts);
}

static void test_nobody(void **state)
{
	(void)state;
	assert_int_equal(contacts_count(NULL), 0);
	assert_null(contacts_find(NULL, slice_of("bob")));
	assert_null(contacts_nearest(NULL, slice_of("bob")));
	contacts_free(NULL);
}

static void test_many(void **state)
{
	struct contacts *contacts;
	struct fault why;
	char name[16];

	(void)state;
	assert_int_equal(contacts_new(&contacts), 0);
	for (int i = 0; i < CONTACTS_MAX; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(add(contacts, name, "a@b", NULL), 0);
	}
	assert_int_equal(add(contacts, "one more", "a@b", &why), -ENOSPC);
	assert_string_equal(why.words, "4096 contacts are enough");
	assert_string_equal(contacts_at(contacts, 4095)->name, "n4095");
	contacts_free(contacts);
}

static void test_no_memory(void **state)
{
	struct contacts *contacts;
	size_t allowed = 0;
	int err;

	(void)state;
	do {
		allocations_left = allowed++;
		err = contacts_new(&contacts);
		if (!err) {
			err = add(contacts, "bob", "a@b", NULL);
			assert_int_equal(contacts_count(contacts), err ? 0 : 1);
			contacts_free(contacts);
		}
		allocations_left = SIZE_MAX;
		assert_true(err == 0 || err == -ENOMEM);
	} while (err);
	assert_int_equal(allowed, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("cmd/settings/contacts", tests, NULL, NULL);
}
