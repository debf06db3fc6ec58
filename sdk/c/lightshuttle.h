/*
 * lightshuttle.h: a LightShuttle runtime as a WASM module, in C.
 *
 * One header, no libc. Include it in one file, define three operations:
 *
 *     #include "lightshuttle.h"
 *
 *     LS_MANIFEST({"abi": 1, "name": "mine"})
 *
 *     LS_OPERATION(ls_start)        { ... return ls_done(&result); }
 *     LS_OPERATION(ls_stop)         { ... return LS_OK; }
 *     LS_OPERATION(ls_wait_healthy) { ... }
 *
 * and build it with
 *
 *     clang --target=wasm32 -Oz -flto -mbulk-memory -ffreestanding -nostdlib \
 *         -Wl,--no-entry,--strip-all,--compress-relocations -o mine.wasm mine.c
 *
 * Each operation runs in a fresh instance: memory is taken with ls_alloc and
 * never given back, and what has to outlive the operation goes to the store
 * (ls_kv_...). Every export is an ability and every import a need; what isn't
 * called isn't imported. docs/abi.md has the documents of all operations.
 */
#ifndef LIGHTSHUTTLE_H
#define LIGHTSHUTTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The size of what ls_alloc can give, in bytes. Unused memory costs nothing. */
#ifndef LS_HEAP
#define LS_HEAP (4u << 20)
#endif

#define LS_IMPORT(module, name) __attribute__((import_module(module), import_name(name))) extern
#define LS_EXPORT(name) __attribute__((export_name(name), used))
#define LS_OPERATION(name) LS_EXPORT(#name) int32_t name(void)

/* Functions stay functions, which keeps modules small. */
#define LS_FUNCTION static __attribute__((noinline, unused))

#define LS_QUOTE_(...) #__VA_ARGS__
#define LS_TEXT_(x) #x
#define LS_LITERAL_(x) LS_TEXT_(x)

/* LS_MANIFEST({...}) puts the manifest, written as JSON, into the module. */
#define LS_MANIFEST(...)                                        \
	__asm__(".section .custom_section.lightshuttle.manifest,\"\",@\n" \
		".ascii " LS_LITERAL_(LS_QUOTE_(__VA_ARGS__)) "\n"          \
		".text\n");

/* How an operation or a call ends. */
enum {
	LS_OK = 0,
	LS_INVALID = 1,
	LS_NOT_FOUND = 2,
	LS_ALREADY_EXISTS = 3,
	LS_UNSUPPORTED = 4,
	LS_UNAVAILABLE = 5,
	LS_TIMEOUT = 6,
	LS_CANCELLED = 7,
	LS_DENIED = 8,
	LS_LIMIT = 9,
	LS_CONFLICT = 10,
	LS_IMAGE_NOT_FOUND = 11,
	LS_BUILD_FAILED = 12,
	LS_INTERNAL = 13,
	LS_IO = 14,
	LS_BAD_HANDLE = 15,
	LS_PORT_IN_USE = 16,
	LS_UNAUTHORIZED = 17,
	LS_EXITED = 18,
	LS_UNHEALTHY = 19,
};

enum { LS_DEBUG = 0, LS_INFO = 1, LS_WARN = 2, LS_ERROR = 3 };
enum { LS_CLOCK_WALL = 0, LS_CLOCK_MONOTONIC = 1, LS_CLOCK_LEFT = 2 };
enum { LS_STDOUT = 1, LS_STDERR = 2, LS_DOCKER = 3, LS_TIMESTAMPS = 16 };

/* The functions of the host, as they are. */
LS_IMPORT("lightshuttle_v1", "input_read") int32_t ls_input_read(void *buf, uint32_t cap, uint32_t offset);
LS_IMPORT("lightshuttle_v1", "result_read") int32_t ls_result_read(void *buf, uint32_t cap, uint32_t offset);
LS_IMPORT("lightshuttle_v1", "output_write") int32_t ls_output_write(const void *ptr, uint32_t len);
LS_IMPORT("lightshuttle_v1", "log") void ls_log_write(int32_t level, const void *ptr, uint32_t len);
LS_IMPORT("lightshuttle_v1", "emit") int32_t ls_emit_write(const void *ptr, uint32_t len);
LS_IMPORT("lightshuttle_v1", "clock") int64_t ls_clock(int32_t id);
LS_IMPORT("lightshuttle_v1", "sleep") int32_t ls_sleep(int64_t nanoseconds);
LS_IMPORT("lightshuttle_v1", "io_read") int32_t ls_io_read(int32_t handle, void *buf, uint32_t cap);
LS_IMPORT("lightshuttle_v1", "io_poll") int32_t ls_io_poll(int32_t *handles, uint32_t count, int64_t nanoseconds);
LS_IMPORT("lightshuttle_v1", "io_close") int32_t ls_io_close(int32_t handle);
LS_IMPORT("lightshuttle_v1", "stream_write") int32_t ls_stream_write(int32_t kind, int64_t time, const void *ptr, uint32_t len);
LS_IMPORT("lightshuttle_v1", "stream_forward") int32_t ls_stream_forward(int32_t handle, int32_t kind);
LS_IMPORT("lightshuttle_v1", "log_forward") int32_t ls_log_forward(const void *ptr, uint32_t len);
LS_IMPORT("lightshuttle_exec_v1", "run") int32_t ls_exec_run(const void *ptr, uint32_t len, const void *in, uint32_t in_len);
LS_IMPORT("lightshuttle_exec_v1", "spawn") int32_t ls_exec_spawn(const void *ptr, uint32_t len, const void *in, uint32_t in_len);
LS_IMPORT("lightshuttle_exec_v1", "wait") int32_t ls_exec_wait(int32_t process);
LS_IMPORT("lightshuttle_exec_v1", "kill") int32_t ls_exec_kill(int32_t process, int32_t signal);
LS_IMPORT("lightshuttle_http_v1", "request") int32_t ls_http_request(const void *ptr, uint32_t len, const void *body, uint32_t body_len);
LS_IMPORT("lightshuttle_kv_v1", "get") int32_t ls_kv_get_raw(const void *key, uint32_t len);
LS_IMPORT("lightshuttle_kv_v1", "set") int32_t ls_kv_set_raw(const void *key, uint32_t len, const void *value, uint32_t value_len);
LS_IMPORT("lightshuttle_kv_v1", "delete") int32_t ls_kv_delete_raw(const void *key, uint32_t len);
LS_IMPORT("lightshuttle_kv_v1", "list") int32_t ls_kv_list_raw(const void *prefix, uint32_t len);

/* The export that says which version of the ABI this is. */
LS_EXPORT("lightshuttle_abi_v1") void lightshuttle_abi_v1(void) {}

/* A piece of text, not ended by a zero. One without ptr is absent. */
typedef struct {
	const char *ptr;
	uint32_t len;
} ls_text;

#define LS_ABSENT ((ls_text){0, 0})

LS_FUNCTION ls_text ls_cstr(const char *s)
{
	uint32_t n = 0;
	while (s[n])
		n++;
	return (ls_text){s, n};
}

LS_FUNCTION bool ls_equal(ls_text a, ls_text b)
{
	if (a.len != b.len)
		return false;
	for (uint32_t i = 0; i < a.len; i++)
		if (a.ptr[i] != b.ptr[i])
			return false;
	return true;
}

static char ls_heap_[LS_HEAP];
static uint32_t ls_heap_used_;

/* ls_alloc takes memory that lasts as long as the operation. When there is none
 * left, the module traps, and the host says so. */
LS_FUNCTION void *ls_alloc(uint32_t size)
{
	uint32_t at = (ls_heap_used_ + 7u) & ~7u;
	if (size > LS_HEAP - at)
		__builtin_trap();
	ls_heap_used_ = at + size;
	return ls_heap_ + at;
}

LS_FUNCTION ls_text ls_read_(int32_t (*read)(void *, uint32_t, uint32_t))
{
	int32_t len = read(0, 0, 0);
	if (len <= 0)
		return (ls_text){"", 0};
	char *buf = ls_alloc((uint32_t)len);
	return (ls_text){buf, (uint32_t)read(buf, (uint32_t)len, 0)};
}

/* ls_input is the document that the operation was called with, and ls_result
 * that of the latest call which has one. */
static inline ls_text ls_input(void) { return ls_read_(ls_input_read); }
static inline ls_text ls_result(void) { return ls_read_(ls_result_read); }

/* ------------------------------------------------------------ reading JSON */

LS_FUNCTION const char *ls_space_(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
		p++;
	return p;
}

/* ls_skip_ returns the end of the value that begins at p. What isn't JSON ends
 * at the end of the document. */
LS_FUNCTION const char *ls_skip_(const char *p, const char *end)
{
	int depth = 0;
	bool quoted = false;
	for (; p < end; p++) {
		if (quoted) {
			if (*p == '\\')
				p++;
			else if (*p == '"')
				quoted = false;
			if (!quoted && depth == 0)
				return p + 1;
			continue;
		}
		if (*p == '"')
			quoted = true;
		else if (*p == '{' || *p == '[')
			depth++;
		else if (*p == '}' || *p == ']') {
			if (depth == 0)
				return p;
			if (--depth == 0)
				return p + 1;
		} else if (depth == 0 && (*p == ',' || *p == ':' || *p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
			return p;
	}
	return end;
}

/* ls_next steps through an array or an object. It takes what is left of it,
 * which is the whole at first, and returns whether there was another item; of an
 * array's item the key is absent.
 *
 *     ls_text rest = list, key, item;
 *     while (ls_next(&rest, &key, &item)) ...
 */
LS_FUNCTION bool ls_next(ls_text *rest, ls_text *key, ls_text *value)
{
	const char *end = rest->ptr + rest->len;
	const char *p = ls_space_(rest->ptr, end);
	if (p < end && (*p == '[' || *p == '{' || *p == ','))
		p = ls_space_(p + 1, end);
	*key = LS_ABSENT;
	if (p >= end || *p == ']' || *p == '}')
		return false;
	const char *stop = ls_skip_(p, end);
	*value = (ls_text){p, (uint32_t)(stop - p)};
	p = ls_space_(stop, end);
	if (p < end && *p == ':') {
		*key = (ls_text){value->ptr + 1, value->len - 2};
		p = ls_space_(p + 1, end);
		stop = ls_skip_(p, end);
		*value = (ls_text){p, (uint32_t)(stop - p)};
		p = ls_space_(stop, end);
	}
	*rest = (ls_text){p, (uint32_t)(end - p)};
	return stop > value->ptr;
}

/* ls_find returns the value at a path such as "args.spec.name", as it is
 * written, or LS_ABSENT when it isn't there or null. */
LS_FUNCTION ls_text ls_find(ls_text json, const char *path)
{
	while (*path) {
		uint32_t n = 0;
		while (path[n] && path[n] != '.')
			n++;
		const char *start = ls_space_(json.ptr, json.ptr + json.len);
		if (!json.len || *start != '{')
			return LS_ABSENT;
		ls_text rest = json, key, value;
		bool found = false;
		while (!found && ls_next(&rest, &key, &value))
			found = ls_equal(key, (ls_text){path, n});
		if (!found)
			return LS_ABSENT;
		json = value;
		path += path[n] ? n + 1 : n;
	}
	return ls_equal(json, (ls_text){"null", 4}) ? LS_ABSENT : json;
}

static inline uint32_t ls_hex_(const char *p)
{
	uint32_t code = 0;
	for (int i = 0; i < 4; i++) {
		char c = p[i];
		code = code << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
	}
	return code;
}

LS_FUNCTION uint32_t ls_utf8_(char *out, uint32_t code)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	uint32_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
	for (uint32_t i = more; i > 0; i--, code >>= 6)
		out[i] = (char)(0x80 | (code & 0x3f));
	out[0] = (char)((0xf00u >> more) | code);
	return more + 1;
}

/* ls_string decodes a string. What isn't one is absent. */
LS_FUNCTION ls_text ls_string(ls_text json)
{
	if (json.len < 2 || json.ptr[0] != '"')
		return LS_ABSENT;
	char *out = ls_alloc(json.len);
	uint32_t n = 0;
	const char *p = json.ptr + 1, *end = json.ptr + json.len - 1;
	while (p < end) {
		if (*p != '\\') {
			out[n++] = *p++;
			continue;
		}
		char c = p[1];
		p += 2;
		if (c == 'u' && end - p >= 4) {
			uint32_t code = ls_hex_(p);
			p += 4;
			if ((code & 0xfc00) == 0xd800 && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
				code = 0x10000 + ((code & 0x3ff) << 10) + (ls_hex_(p + 2) & 0x3ff);
				p += 6;
			}
			n += ls_utf8_(out + n, code);
			continue;
		}
		out[n++] = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == 'b' ? '\b' : c == 'f' ? '\f' : c;
	}
	return (ls_text){out, n};
}

/* ls_integer reads a whole number; what isn't one is 0. */
LS_FUNCTION int64_t ls_integer(ls_text json)
{
	uint64_t n = 0;
	uint32_t i = json.len && json.ptr[0] == '-';
	for (uint32_t k = i; k < json.len && json.ptr[k] >= '0' && json.ptr[k] <= '9'; k++)
		n = n * 10 + (uint64_t)(json.ptr[k] - '0');
	return i ? -(int64_t)n : (int64_t)n;
}

static inline bool ls_true(ls_text json) { return ls_equal(json, (ls_text){"true", 4}); }

/* ------------------------------------------------------------ writing JSON */

/* A document that is being written. Begin with ls_document(capacity); what
 * doesn't fit traps. */
typedef struct {
	char *ptr;
	uint32_t len, cap;
} ls_writer;

LS_FUNCTION ls_writer ls_document(uint32_t capacity)
{
	return (ls_writer){ls_alloc(capacity), 0, capacity};
}

/* ls_put writes text as it is. */
LS_FUNCTION void ls_put(ls_writer *w, ls_text text)
{
	if (text.len > w->cap - w->len)
		__builtin_trap();
	__builtin_memcpy(w->ptr + w->len, text.ptr, text.len);
	w->len += text.len;
}

LS_FUNCTION void ls_puts(ls_writer *w, const char *text) { ls_put(w, ls_cstr(text)); }

/* ls_put_string writes text as a JSON string. */
LS_FUNCTION void ls_put_string(ls_writer *w, ls_text text)
{
	static const char hex[] = "0123456789abcdef";
	ls_puts(w, "\"");
	for (uint32_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		if (c < 0x20) {
			char escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
			ls_put(w, (ls_text){escape, 6});
			continue;
		}
		if (c == '"' || c == '\\')
			ls_puts(w, "\\");
		ls_put(w, (ls_text){text.ptr + i, 1});
	}
	ls_puts(w, "\"");
}

LS_FUNCTION void ls_put_integer(ls_writer *w, int64_t n)
{
	char digits[20];
	uint32_t at = sizeof digits;
	uint64_t left = n < 0 ? -(uint64_t)n : (uint64_t)n;
	do
		digits[--at] = (char)('0' + left % 10);
	while (left /= 10);
	if (n < 0)
		ls_puts(w, "-");
	ls_put(w, (ls_text){digits + at, sizeof digits - at});
}

/* ------------------------------------------------- ends, logs, events, store */

/* ls_done leaves the operation's result. */
static inline int32_t ls_done(const ls_writer *w) { return ls_output_write(w->ptr, w->len); }

/* ls_fail ends an operation with a status, and a message for people. */
LS_FUNCTION int32_t ls_fail(int32_t status, ls_text message)
{
	ls_writer w = ls_document(message.len * 6 + 32);
	ls_puts(&w, "{\"message\":");
	ls_put_string(&w, message);
	ls_puts(&w, "}");
	ls_done(&w);
	return status;
}

/* ls_failed ends an operation with the status of a call that has failed, and
 * the document of that call. */
LS_FUNCTION int32_t ls_failed(int32_t status)
{
	ls_text document = ls_result();
	ls_output_write(document.ptr, document.len);
	return status;
}

static inline void ls_log(int32_t level, const char *line)
{
	ls_text text = ls_cstr(line);
	ls_log_write(level, text.ptr, text.len);
}

static inline int32_t ls_emit(const ls_writer *w) { return ls_emit_write(w->ptr, w->len); }

/* The value of a get is ls_result(). */
static inline int32_t ls_kv_get(ls_text key) { return ls_kv_get_raw(key.ptr, key.len); }
static inline int32_t ls_kv_set(ls_text key, ls_text value) { return ls_kv_set_raw(key.ptr, key.len, value.ptr, value.len); }
static inline int32_t ls_kv_delete(ls_text key) { return ls_kv_delete_raw(key.ptr, key.len); }
/* The keys of a list are a JSON array, ls_result(). */
static inline int32_t ls_kv_list(ls_text prefix) { return ls_kv_list_raw(prefix.ptr, prefix.len); }

/* ls_read_all reads a stream to its end. A failure is absent. */
LS_FUNCTION ls_text ls_read_all(int32_t handle)
{
	uint32_t cap = 4096, len = 0;
	char *buf = ls_alloc(cap);
	if (handle == 0)
		return (ls_text){buf, 0};
	for (;;) {
		if (len == cap) {
			char *more = ls_alloc(cap * 2);
			__builtin_memcpy(more, buf, len);
			buf = more;
			cap *= 2;
		}
		int32_t n = ls_io_read(handle, buf + len, cap - len);
		if (n < 0)
			return LS_ABSENT;
		if (n == 0)
			return (ls_text){buf, len};
		len += (uint32_t)n;
	}
}

#endif
