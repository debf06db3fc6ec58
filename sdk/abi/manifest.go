package abi

import "encoding/json"

// Manifest says what a module is and what it asks for. It is the content of the
// module's section [ManifestSection].
type Manifest struct {
	// ABI and ABIMinor are the version that the module was built for.
	ABI      int `json:"abi"`
	ABIMinor int `json:"abi_minor,omitempty"`
	// Name is that of the runtime: lower-case letters, digits and hyphens.
	Name        string   `json:"name"`
	Version     string   `json:"version,omitempty"`
	License     string   `json:"license,omitempty"`
	Source      string   `json:"source,omitempty"`
	Description string   `json:"description,omitempty"`
	Requests    Requests `json:"requests,omitzero"`
	// ConfigSchema is a JSON Schema of the configuration that the user may give.
	ConfigSchema json.RawMessage `json:"config_schema,omitempty"`
}

// Requests are what a module would like to touch. Each counts only as far as
// the user grants it.
type Requests struct {
	HTTP []HTTPAccess `json:"http,omitempty"`
	Exec []ExecAccess `json:"exec,omitempty"`
	KV   *KVAccess    `json:"kv,omitempty"`
}

// IsZero says whether nothing is asked for; an empty list asks for nothing.
func (r Requests) IsZero() bool { return len(r.HTTP) == 0 && len(r.Exec) == 0 && r.KV == nil }

// HTTPAccess asks for an endpoint.
type HTTPAccess struct {
	// Endpoint is an alias; the user says which address it stands for.
	Endpoint string `json:"endpoint"`
	Reason   string `json:"reason"`
	// Suggest are addresses to propose to the user.
	Suggest []string `json:"suggest,omitempty"`
	// Methods and Paths bound the requests; none means any. In a path "*" stands
	// for one segment, and "**" for any number of them.
	Methods []string `json:"methods,omitempty"`
	Paths   []string `json:"paths,omitempty"`
}

// ExecAccess asks for a program.
type ExecAccess struct {
	// Program is an alias; the user says which file it stands for.
	Program string `json:"program"`
	Reason  string `json:"reason"`
	// Suggest are names or paths of programs to propose to the user.
	Suggest []string `json:"suggest,omitempty"`
	// Args are patterns of argument lists, one of which must match; none means
	// any arguments. "*" stands for one argument, and a last "**" for any
	// number of them.
	Args [][]string `json:"args,omitempty"`
	// Env are the names of variables that may be set; AnyVariable stands for all
	// that the module sets itself.
	Env []string `json:"env,omitempty"`
}

// AnyVariable asks for any variables, but for those that decide which code a
// program runs.
const AnyVariable = "*"

// KVAccess asks for a store.
type KVAccess struct {
	// Bytes is the size of all keys and values.
	Bytes int `json:"bytes"`
}
