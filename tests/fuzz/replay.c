/* Runs a fuzz target over the files of the folders that it is given, without the fuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_MAX = 1 << 20, PATH_SIZE = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Exactly as long as the input, so that AddressSanitizer sees one read too many. */
static int run_file(const char *path)
{
	static uint8_t room[INPUT_MAX];
	uint8_t *data;
	FILE *file;
	size_t size;

	file = fopen(path, "rb");
	if (!file) {
		perror(path);
		return 1;
	}
	size = fread(room, 1, sizeof(room), file);
	fclose(file);

	data = malloc(size);
	if (!data && size > 0)
		return 1;
	if (size > 0)
		memcpy(data, room, size);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 0;
}

static int run_folder(const char *folder, size_t *count)
{
	struct dirent *entry;
	char path[PATH_SIZE];
	int failed = 0;
	DIR *dir;

	dir = opendir(folder);
	if (!dir) {
		perror(folder);
		return 1;
	}
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		failed |= run_file(path);
		(*count)++;
	}
	closedir(dir);
	return failed;
}

int main(int argc, char **argv)
{
	size_t count = 0;
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed |= run_folder(argv[i], &count);
	printf("%zu inputs\n", count);
	return failed || count == 0;
}
