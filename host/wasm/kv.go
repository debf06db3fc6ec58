package wasm

import (
	"slices"

	"github.com/tetratelabs/wazero/api"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// key reads a key, or a prefix, if the plugin may have a store.
func (c *call) key(m api.Module, stack []uint64) (string, error) {
	if c.plugin.report.Manifest.Requests.KV == nil {
		return "", denied("request it in the manifest", "the plugin's manifest doesn't request a store")
	}
	if c.plugin.storeLimit() <= 0 {
		return "", denied("grant it with `lightshuttle plugin trust`", "no store is granted to plugin %s", c.plugin.name)
	}
	if length(stack[1]) > longestKey {
		return "", &limitError{"the key is too long"}
	}
	key, valid := text(m, stack[0], stack[1])
	if !valid {
		return "", because(sdk.CodeInvalid, "", "the key isn't UTF-8")
	}
	return key, nil
}

func (c *call) done(err error) abi.Status {
	if err != nil {
		return c.refuse(err)
	}
	c.result = nil
	return abi.OK
}

func kvGet(c *call, m api.Module, stack []uint64) {
	key, err := c.key(m, stack)
	var value []byte
	if err == nil {
		value, err = c.plugin.store.get(key)
	}
	status := c.done(err)
	if status == abi.OK {
		c.result = value
	}
	put(stack, status)
}

func kvSet(c *call, m api.Module, stack []uint64) {
	key, err := c.key(m, stack)
	if err == nil {
		value := view(m, stack[2], stack[3])
		if len(value) > abi.MaxKV {
			err = &limitError{"the value is too big"}
		} else {
			err = c.plugin.store.set(c.hard, key, append([]byte{}, slices.Clone(value)...))
		}
	}
	put(stack, c.done(err))
}

func kvDelete(c *call, m api.Module, stack []uint64) {
	key, err := c.key(m, stack)
	if err == nil {
		err = c.plugin.store.set(c.hard, key, nil)
	}
	put(stack, c.done(err))
}

func kvList(c *call, m api.Module, stack []uint64) {
	prefix, err := c.key(m, stack)
	var keys []string
	if err == nil {
		keys, err = c.plugin.store.list(prefix)
	}
	status := c.done(err)
	if status == abi.OK {
		status = c.answer(keys)
	}
	put(stack, status)
}
