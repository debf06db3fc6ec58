/*
 * The smallest runtime: three operations. It runs nothing; a "container" is an
 * entry of the store, which says how the author's own engine would be kept
 * track of. It needs no grant but the store.
 */
#include "lightshuttle.h"

LS_MANIFEST({
	"abi": 1,
	"name": "minimal",
	"version": "1.0.0",
	"license": "Apache-2.0",
	"description": "keeps track of containers that don't exist",
	"requests": {"kv": {"bytes": 65536}}
})

/* ls_start: {"spec": {...}} -> {"id": "..."}. The name is unique on an engine,
 * so it will do as an id. */
LS_OPERATION(ls_start)
{
	ls_text input = ls_input();
	ls_text name = ls_string(ls_find(input, "args.spec.name"));
	if (!name.ptr)
		return ls_fail(LS_INVALID, ls_cstr("the spec has no name"));
	/* What can't be honoured is refused before anything is done. */
	if (ls_find(input, "args.spec.build").ptr)
		return ls_fail(LS_UNSUPPORTED, ls_cstr("build: this runtime builds nothing"));
	if (ls_kv_get(name) == LS_OK)
		return ls_fail(LS_CONFLICT, ls_cstr("a container of that name is there"));
	int32_t status = ls_kv_set(name, ls_find(input, "args.spec.image"));
	if (status != LS_OK)
		return ls_failed(status);
	ls_writer result = ls_document(name.len * 6 + 16);
	ls_puts(&result, "{\"id\":");
	ls_put_string(&result, name);
	ls_puts(&result, "}");
	return ls_done(&result);
}

/* ls_stop: {"id": "...", "grace_ms": 10000} -> {}. A container that is gone is
 * a success. */
LS_OPERATION(ls_stop)
{
	ls_text id = ls_string(ls_find(ls_input(), "args.id"));
	int32_t status = ls_kv_delete(id);
	if (status != LS_OK && status != LS_NOT_FOUND)
		return ls_failed(status);
	return LS_OK;
}

/* ls_wait_healthy: {"id": "...", "healthcheck": {...}} -> {"state": {...}}. */
LS_OPERATION(ls_wait_healthy)
{
	ls_text input = ls_input();
	ls_text id = ls_find(input, "args.id");
	int32_t status = ls_kv_get(ls_string(id));
	if (status == LS_NOT_FOUND)
		return ls_fail(LS_NOT_FOUND, ls_cstr("there is no such container"));
	if (status != LS_OK)
		return ls_failed(status);
	ls_text image = ls_result();
	bool checked = ls_find(input, "args.healthcheck").ptr != 0;
	ls_writer result = ls_document(2 * id.len + image.len + 96);
	ls_puts(&result, "{\"state\":{\"id\":");
	ls_put(&result, id);
	ls_puts(&result, ",\"name\":");
	ls_put(&result, id);
	ls_puts(&result, ",\"image\":");
	ls_put(&result, image);
	ls_puts(&result, ",\"status\":\"running\",\"health\":");
	ls_puts(&result, checked ? "\"healthy\"}}" : "\"none\"}}");
	return ls_done(&result);
}
