package main

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// store is guest.Store, or a test's.
type store interface {
	Get(key string) ([]byte, error)
	Set(key string, value []byte) error
	Delete(key string) error
	List(prefix string) ([]string, error)
}

// entry is one operation of the record.
type entry struct {
	Op abi.Operation `json:"op"`
	// Subject is the name or the id of what it was about.
	Subject string          `json:"subject"`
	Began   time.Time       `json:"began"`
	Took    sdk.Duration    `json:"took_ms"`
	Args    json.RawMessage `json:"args"`
	Result  json.RawMessage `json:"result"`
	// Status is how it ended, and Error why, when that isn't 0.
	Status abi.Status `json:"status"`
	Error  *abi.Error `json:"error,omitempty"`
}

// record is the entries of the store. Their keys begin with what they are about,
// then with when, since operations run at the same time in modules of their own.
type record struct{ store }

func prefixOf(op abi.Operation, subject string) string {
	return "op/" + string(op) + "/" + subject + "/"
}

// keep writes an entry and returns the operation's own error. A record that
// can't be written must not make the operation fail.
func keep(r record, e entry, args, result any, failure error) error {
	var err error
	if e.Args, err = json.Marshal(args); err != nil {
		return failure
	}
	if e.Result, err = json.Marshal(result); err != nil {
		return failure
	}
	if failure != nil {
		status, document := abi.FromError(failure)
		e.Status, e.Error = status, &document
	}
	value, err := json.Marshal(e)
	if err != nil {
		return failure
	}
	stamp := strconv.FormatInt(e.Began.UnixNano(), 10)
	unique := strconv.FormatUint(uint64(rand.Uint32()), 36) //nolint:gosec // nobody is to be kept from guessing it
	key := prefixOf(e.Op, e.Subject) + stamp + "-" + unique
	for range mostTries {
		if r.Set(key, value) == nil || !r.forget() {
			break
		}
	}
	return failure
}

// forgotten is how many entries make room at a time; an entry that is larger
// than what mostTries of them take isn't worth it.
const (
	forgotten = 16
	mostTries = 8
)

// forget removes the oldest entries, and says whether there were any.
func (r record) forget() bool {
	keys, err := r.List("op/")
	if err != nil || len(keys) == 0 {
		return false
	}
	for _, key := range oldest(keys, forgotten) {
		if r.Delete(key) != nil {
			return false
		}
	}
	return true
}

// replayed answers with what was recorded for the subject: the first time with
// its first entry, then with the next, in the end with the last again.
func replayed[Result any](r record, op abi.Operation, subject string) (Result, error) {
	var result Result
	keys, err := r.List(prefixOf(op, subject))
	if err != nil {
		return result, err
	}
	if len(keys) == 0 {
		return result, &sdk.Error{Code: sdk.CodeNotFound, Op: string(op), Err: errors.New("the record has none of " + subject)}
	}
	next := "next/" + string(op) + "/" + subject
	at := 0
	if text, err := r.Get(next); err == nil {
		at, _ = strconv.Atoi(string(text))
	}
	if err := r.Set(next, []byte(strconv.Itoa(at+1))); err != nil {
		return result, err
	}
	value, err := r.Get(keys[min(at, len(keys)-1)])
	if err != nil {
		return result, err
	}
	var e entry
	if err := json.Unmarshal(value, &e); err != nil {
		return result, err
	}
	if err := json.Unmarshal(e.Result, &result); err != nil {
		return result, err
	}
	if e.Error == nil {
		return result, nil
	}
	return result, e.Error.Err(e.Status, causeOf(e.Status))
}

func causeOf(status abi.Status) error {
	switch status {
	case abi.Timeout:
		return context.DeadlineExceeded
	case abi.Cancelled:
		return context.Canceled
	}
	return nil
}
