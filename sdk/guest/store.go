package guest

import (
	"context"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/guest/hostcall"
)

// Store is what a module may keep between its operations, each of which has a
// fresh memory. Its zero value is ready.
type Store struct{}

// Get returns the value of key. One that isn't there is an error with
// sdk.CodeNotFound.
func (Store) Get(key string) ([]byte, error) {
	calling.Lock()
	defer calling.Unlock()
	status := abi.Status(hostcall.Get(key))
	document := hostcall.Result()
	if status != abi.OK {
		return nil, failed(context.Background(), "get "+key, status, document)
	}
	return document, nil
}

// Set stores a value.
func (Store) Set(key string, value []byte) error {
	return call(context.Background(), "set "+key, nil, func() int32 { return hostcall.Set(key, value) })
}

// Delete deletes a key. That it is gone is a success.
func (Store) Delete(key string) error {
	err := call(context.Background(), "delete "+key, nil, func() int32 { return hostcall.Delete(key) })
	if sdk.IsCode(err, sdk.CodeNotFound) {
		return nil
	}
	return err
}

// List returns the keys that begin with prefix, in order.
func (Store) List(prefix string) ([]string, error) {
	var keys []string
	err := call(context.Background(), "list "+prefix, &keys, func() int32 { return hostcall.List(prefix) })
	return keys, err
}
