#include "tests/unit/arrows_check.h"

#include <dirent.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NONE SIZE_MAX

enum { ARROWS_MAX = 10 };

const char *const arrows_tops[ARROWS_TOPS] = {"audio", "cmd", "codecs", "core"};

/* clang-format off */
/* Besides itself and core/base. What is not here may not be. */
static const struct room {
	const char *path;
	const char *may_use[ARROWS_MAX];
} rooms[] = {
	{"cmd",        {"core/ua", "core/media", "core/sip", "core/sdp", "core/rtp", "core/nat",
	                "core/net", "audio", "codecs"}},
	{"core/ua",    {"core/media", "core/sip", "core/sdp"}},
	{"core/media", {"core/rtp", "core/nat", "core/net", "audio", "codecs"}},
	{"core/sip",   {"core/nat", "core/net"}},
	{"core/sdp",   {0}},
	{"core/rtp",   {0}},
	{"core/nat",   {0}},
	{"core/net",   {0}},
	{"audio",      {0}},
	{"codecs",     {0}},
	{"core/base",  {0}},
};

/* A clock, a socket, a thread, chance: below cmd, the loop is asked for them. */
static const char *const worldly[] = {
	"arpa/inet.h", "fcntl.h", "netdb.h", "netinet/in.h", "poll.h", "pthread.h", "sched.h",
	"signal.h", "sys/epoll.h", "sys/eventfd.h", "sys/random.h", "sys/select.h", "sys/socket.h",
	"sys/time.h", "sys/timerfd.h", "threads.h", "time.h", "unistd.h", "uv.h",
};

static const struct {
	const char *path;   /* as fnmatch() reads them */
	const char *header;
} exceptions[] = {
	{"cmd/*",            "*"},
	{"core/net/*",       "*"},
	{"core/base/addr.c", "arpa/inet.h"}, /* reads and prints; asks nobody */
	{"core/base/library.c", "pthread.h"}, /* a lock for any thread */
	{"audio/portaudio.c", "*"}, /* the devices' own thread and clock */
	{"audio/*file*",     "fcntl.h"},
	{"audio/*file*",     "unistd.h"},
	{"codecs/spandsp.c", "pthread.h"}, /* a library is loaded once, whoever comes first */
};
/* clang-format on */

struct file {
	char *path;    /* below the root */
	size_t module; /* the file that stands for it: its header, or itself */
	bool has_code; /* the module */
};

struct include {
	size_t from;
	char *name;
	size_t to; /* NONE: no file of ours */
	size_t line;
	bool quoted;
};

struct tree {
	const char *root;
	FILE *out;
	size_t violations;
	struct file *files; /* in the order of their paths, a folder at a time */
	size_t file_count;
	struct include *includes;
	size_t include_count;
};

/* Who needs whom, of files or of modules; both are numbered as the files are. */
struct edge {
	size_t from;
	size_t to;
	const struct include *why;
};

struct graph {
	struct edge *edges;
	size_t count;
};

void arrows_give_up(const char *what)
{
	perror(what);
	exit(2);
}

/* Makes room for one more of size bytes. */
static void *grow(void *array, size_t count, size_t size)
{
	void *more = reallocarray(array, count + 1, size);

	if (!more)
		arrows_give_up("memory");
	return more;
}

char *arrows_text(const char *format, ...)
{
	char *text;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		arrows_give_up("memory");
	va_end(args);
	return text;
}

static void __attribute__((format(printf, 4, 5)))
complain(struct tree *tree, const char *path, size_t line, const char *format, ...)
{
	va_list args;

	fprintf(tree->out, "%s:%zu: ", path, line);
	va_start(args, format);
	vfprintf(tree->out, format, args);
	va_end(args);
	fputc('\n', tree->out);
	tree->violations++;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text);

	return len > strlen(end) && strcmp(text + len - strlen(end), end) == 0;
}

static size_t find_file(const struct tree *tree, const char *path)
{
	for (size_t i = 0; i < tree->file_count; i++)
		if (strcmp(tree->files[i].path, path) == 0)
			return i;
	return NONE;
}

static const struct room *room_of(const char *path)
{
	for (size_t i = 0; i < COUNT(rooms); i++) {
		size_t len = strlen(rooms[i].path);

		if (strncmp(path, rooms[i].path, len) == 0 && path[len] == '/')
			return &rooms[i];
	}
	return NULL;
}

/* Reading the tree */

static void walk(struct tree *tree, const char *path)
{
	char *folder = arrows_text("%s/%s", tree->root, path);
	struct dirent **entries;
	int count = scandir(folder, &entries, NULL, alphasort);

	if (count < 0)
		arrows_give_up(folder);

	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		char *below = arrows_text("%s/%s", path, name);
		char *full = arrows_text("%s/%s", tree->root, below);
		struct stat info;

		if (lstat(full, &info))
			arrows_give_up(full);
		if (S_ISDIR(info.st_mode) && name[0] != '.')
			walk(tree, below);
		if (S_ISREG(info.st_mode) && (ends_with(name, ".c") || ends_with(name, ".h"))) {
			tree->files = grow(tree->files, tree->file_count, sizeof(*tree->files));
			tree->files[tree->file_count++] = (struct file){.path = below};
			below = NULL; /* the tree's from here on */
		}
		free(full);
		free(below);
		free(entries[i]);
	}
	free(entries);
	free(folder);
}

/* A source and the header of its name are one module. */
static void find_modules(struct tree *tree)
{
	for (size_t i = 0; i < tree->file_count; i++)
		tree->files[i].module = i;

	for (size_t i = 0; i < tree->file_count; i++) {
		struct file *file = &tree->files[i];
		int stem = (int)strlen(file->path) - 1;
		char *header;
		size_t own;

		if (!ends_with(file->path, ".c"))
			continue;
		header = arrows_text("%.*sh", stem, file->path);
		own = find_file(tree, header);
		if (own != NONE)
			file->module = own;
		tree->files[file->module].has_code = true;
		free(header);
	}
}

/*
 * The name that a line includes, cut out of it, or NULL if it includes nothing. "" stands for what
 * cannot be followed: a macro, include_next.
 */
static const char *read_include(char *line, bool *quoted)
{
	char *at = line + strspn(line, " \t");
	char *end;

	if (*at++ != '#')
		return NULL;
	at += strspn(at, " \t");
	if (strncmp(at, "include", strlen("include")) != 0)
		return NULL;

	at += strlen("include");
	at += strspn(at, " \t");
	*quoted = *at == '"';
	if (*at != '"' && *at != '<')
		return "";
	end = strchr(at + 1, *quoted ? '"' : '>');
	if (!end)
		return "";

	*end = '\0';
	return at + 1;
}

static void read_file(struct tree *tree, size_t number)
{
	char *full = arrows_text("%s/%s", tree->root, tree->files[number].path);
	FILE *file = fopen(full, "r");
	char *line = NULL;
	size_t size = 0;

	if (!file)
		arrows_give_up(full);

	for (size_t n = 1; getline(&line, &size, file) >= 0; n++) {
		struct include include = {.from = number, .line = n};
		const char *name = read_include(line, &include.quoted);

		if (!name)
			continue;
		include.name = arrows_text("%s", name);
		include.to = find_file(tree, name);
		tree->includes = grow(tree->includes, tree->include_count, sizeof(include));
		tree->includes[tree->include_count++] = include;
	}
	if (ferror(file))
		arrows_give_up(full);
	fclose(file);
	free(line);
	free(full);
}

/* One include at a time */

static bool may_use(const struct room *from, const struct room *to)
{
	if (from == to || strcmp(to->path, "core/base") == 0)
		return true;

	for (size_t i = 0; i < ARROWS_MAX && from->may_use[i]; i++)
		if (strcmp(from->may_use[i], to->path) == 0)
			return true;
	return false;
}

static void check_ours(struct tree *tree, const struct include *include)
{
	const char *path = tree->files[include->from].path;
	const struct room *from = room_of(path);
	const struct room *to = room_of(include->name);

	if (include->to == NONE)
		complain(tree, path, include->line, "\"%s\" is no file below the root",
			include->name);
	if (ends_with(include->name, ".c"))
		complain(tree, path, include->line, "\"%s\" is a source", include->name);
	if (from && to && !may_use(from, to))
		complain(tree, path, include->line, "%s may not use %s (\"%s\")", from->path,
			to->path, include->name);
}

static void check_systems(struct tree *tree, const struct include *include)
{
	const char *path = tree->files[include->from].path;
	bool forbidden = false;

	if (room_of(include->name))
		complain(tree, path, include->line, "<%s> is ours and belongs in quotes",
			include->name);

	for (size_t i = 0; i < COUNT(worldly); i++)
		if (strcmp(worldly[i], include->name) == 0)
			forbidden = true;
	for (size_t i = 0; i < COUNT(exceptions); i++)
		if (fnmatch(exceptions[i].path, path, 0) == 0 &&
			fnmatch(exceptions[i].header, include->name, 0) == 0)
			forbidden = false;
	if (forbidden)
		complain(tree, path, include->line, "<%s>: the loop is asked for that",
			include->name);
}

static void check_each(struct tree *tree)
{
	for (size_t i = 0; i < tree->file_count; i++)
		if (!room_of(tree->files[i].path))
			complain(tree, tree->files[i].path, 1, "stands in no room");

	for (size_t i = 0; i < tree->include_count; i++) {
		const struct include *include = &tree->includes[i];

		if (include->name[0] == '\0')
			complain(tree, tree->files[include->from].path, include->line,
				"an include that cannot be followed");
		else if (include->quoted)
			check_ours(tree, include);
		else
			check_systems(tree, include);
	}
}

/* Circles */

/* Once is enough: the first include is the one that is shown. */
static void add_edge(struct graph *graph, size_t from, size_t to, const struct include *why)
{
	for (size_t i = 0; i < graph->count; i++)
		if (graph->edges[i].from == from && graph->edges[i].to == to)
			return;

	graph->edges = grow(graph->edges, graph->count, sizeof(*graph->edges));
	graph->edges[graph->count++] = (struct edge){from, to, why};
}

static void header_graph(struct graph *graph, const struct tree *tree)
{
	for (size_t i = 0; i < tree->include_count; i++) {
		const struct include *include = &tree->includes[i];

		if (include->to != NONE && ends_with(tree->files[include->from].path, ".h"))
			add_edge(graph, include->from, include->to, include);
	}
}

/*
 * Adds what file needs to module. A header without a source has no code that could need anything:
 * we look through it at what it includes, and if that is module itself (a.c, a_private.h, a.h),
 * then it is no circle.
 */
static void look_through(struct graph *graph, const struct tree *tree, size_t module, size_t file,
	const struct include *why, bool *seen)
{
	seen[file] = true;
	for (size_t i = 0; i < tree->include_count; i++) {
		const struct include *include = &tree->includes[i];
		const struct include *first = why ? why : include;
		size_t to;

		if (include->from != file || include->to == NONE)
			continue;
		to = tree->files[include->to].module;
		if (to == module)
			continue;
		if (tree->files[to].has_code)
			add_edge(graph, module, to, first);
		else if (!seen[to])
			look_through(graph, tree, module, to, first, seen);
	}
}

static void module_graph(struct graph *graph, const struct tree *tree)
{
	for (size_t i = 0; i < tree->file_count; i++) {
		size_t module = tree->files[i].module;
		bool *seen;

		if (!tree->files[module].has_code)
			continue;
		seen = grow(NULL, tree->file_count, sizeof(*seen));
		memset(seen, 0, tree->file_count * sizeof(*seen));
		look_through(graph, tree, module, i, NULL, seen);
		free(seen);
	}
}

struct search {
	struct tree *tree;
	const struct graph *graph;
	size_t *path; /* from where the search began to where it is */
	size_t len;
	bool *done; /* nothing new behind these */
};

static size_t on_path(const struct search *search, size_t node)
{
	for (size_t i = 0; i < search->len; i++)
		if (search->path[i] == node)
			return i;
	return NONE;
}

static void complain_circle(struct search *search, size_t start, const struct include *why)
{
	const struct file *files = search->tree->files;
	char *circle = arrows_text("circle: %s", files[search->path[start]].path);

	for (size_t i = start + 1; i <= search->len; i++) {
		size_t node = search->path[i < search->len ? i : start];
		char *longer = arrows_text("%s -> %s", circle, files[node].path);

		free(circle);
		circle = longer;
	}
	complain(search->tree, files[why->from].path, why->line, "%s", circle);
	free(circle);
}

static void search_from(struct search *search, size_t node)
{
	search->path[search->len++] = node;
	for (size_t i = 0; i < search->graph->count; i++) {
		const struct edge *edge = &search->graph->edges[i];
		size_t start;

		if (edge->from != node || search->done[edge->to])
			continue;
		start = on_path(search, edge->to);
		if (start == NONE)
			search_from(search, edge->to);
		else
			complain_circle(search, start, edge->why);
	}
	search->len--;
	search->done[node] = true;
}

static void check_circles(struct tree *tree, const struct graph *graph)
{
	struct search search = {
		.tree = tree,
		.graph = graph,
		.path = grow(NULL, tree->file_count, sizeof(*search.path)),
		.done = grow(NULL, tree->file_count, sizeof(*search.done)),
	};

	memset(search.done, 0, tree->file_count * sizeof(*search.done));
	for (size_t i = 0; i < tree->file_count; i++)
		if (!search.done[i])
			search_from(&search, i);
	free(search.path);
	free(search.done);
}

static void check_all_circles(struct tree *tree)
{
	struct graph headers = {0};
	struct graph modules = {0};
	size_t before = tree->violations;

	header_graph(&headers, tree);
	check_circles(tree, &headers);
	if (tree->violations == before) { /* else it would be told twice */
		module_graph(&modules, tree);
		check_circles(tree, &modules);
	}
	free(headers.edges);
	free(modules.edges);
}

size_t arrows_check(const char *root, FILE *out, size_t *file_count)
{
	struct tree tree = {.root = root, .out = out};

	for (size_t i = 0; i < ARROWS_TOPS; i++)
		walk(&tree, arrows_tops[i]);
	find_modules(&tree);
	for (size_t i = 0; i < tree.file_count; i++)
		read_file(&tree, i);

	check_each(&tree);
	check_all_circles(&tree);

	for (size_t i = 0; i < tree.file_count; i++)
		free(tree.files[i].path);
	for (size_t i = 0; i < tree.include_count; i++)
		free(tree.includes[i].name);
	free(tree.files);
	free(tree.includes);
	*file_count = tree.file_count;
	return tree.violations;
}
