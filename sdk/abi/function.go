package abi

// Type is a WASM value type, as the binary format writes it.
type Type byte

// The value types that the ABI uses.
const (
	I32 Type = 0x7f
	I64 Type = 0x7e
)

// String is the type's name in the text format.
func (t Type) String() string {
	if t == I64 {
		return "i64"
	}
	return "i32"
}

// Function is a function that the host offers.
type Function struct {
	Module  string
	Name    string
	Params  []Type
	Results []Type
}

// Functions returns all functions that a host of this version offers, beside
// WASI's.
func Functions() []Function {
	return []Function{
		// buf, cap, off: with cap 0 the total length, else the number of bytes
		// copied.
		{ModuleCore, InputRead, []Type{I32, I32, I32}, []Type{I32}},
		{ModuleCore, ResultRead, []Type{I32, I32, I32}, []Type{I32}},
		// ptr, len: status; the last call counts.
		{ModuleCore, OutputWrite, []Type{I32, I32}, []Type{I32}},
		// level, ptr, len.
		{ModuleCore, Log, []Type{I32, I32, I32}, nil},
		// ptr, len of an Emission: status.
		{ModuleCore, Emit, []Type{I32, I32}, []Type{I32}},
		// id: nanoseconds.
		{ModuleCore, Clock, []Type{I32}, []Type{I64}},
		// nanoseconds: status.
		{ModuleCore, Sleep, []Type{I64}, []Type{I32}},
		// handle, buf, cap: the number of bytes, 0 at the end, -status.
		{ModuleCore, IORead, []Type{I32, I32, I32}, []Type{I32}},
		// handles, count, timeout in ns (negative: none): how many are ready,
		// those that aren't set to 0; 0 after the timeout; -status.
		{ModuleCore, IOPoll, []Type{I32, I32, I64}, []Type{I32}},
		// handle: status.
		{ModuleCore, IOClose, []Type{I32}, []Type{I32}},
		// kind, time in ns since 1970 (0: now), ptr, len: status.
		{ModuleCore, StreamWrite, []Type{I32, I64, I32, I32}, []Type{I32}},
		// handle, kind: status.
		{ModuleCore, StreamForward, []Type{I32, I32}, []Type{I32}},
		// ptr, len of a LogRequest: status.
		{ModuleCore, LogForward, []Type{I32, I32}, []Type{I32}},

		// ptr, len of an ExecRequest; ptr, len of the standard input: status.
		{ModuleExec, ExecRun, []Type{I32, I32, I32, I32}, []Type{I32}},
		{ModuleExec, ExecSpawn, []Type{I32, I32, I32, I32}, []Type{I32}},
		// handle: status.
		{ModuleExec, ExecWait, []Type{I32}, []Type{I32}},
		// handle, signal (9 or 15): status.
		{ModuleExec, ExecKill, []Type{I32, I32}, []Type{I32}},

		// ptr, len of an HTTPRequest; ptr, len of the body: status.
		{ModuleHTTP, HTTPRequestCall, []Type{I32, I32, I32, I32}, []Type{I32}},

		// ptr, len of the key, or with list of a prefix: status.
		{ModuleKV, KVGet, []Type{I32, I32}, []Type{I32}},
		{ModuleKV, KVSet, []Type{I32, I32, I32, I32}, []Type{I32}},
		{ModuleKV, KVDelete, []Type{I32, I32}, []Type{I32}},
		{ModuleKV, KVList, []Type{I32, I32}, []Type{I32}},
	}
}
