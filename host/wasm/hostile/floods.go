package hostile

import (
	"github.com/lightshuttle/lightshuttle/host/wasm/wasmtest"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

var (
	event    = `{"type":"event","event":{"type":"started","id":"x"}}`
	progress = `{"type":"progress","progress":{"action":"pull"}}`
)

// floodAttacks say too much.
var floodAttacks = []Attack{
	floods("log flood", "short lines", abi.Log, false, "hello", c32(1), c32(0), c32(5)),
	floods("log flood", "lines of 4 MiB", abi.Log, false, "hello", c32(3), c32(0), c32(4<<20)),
	floods("event flood", "events", abi.Emit, true, event, c32(0), c32(int32(len(event)))),
	floods("event flood", "progress", abi.Emit, true, progress, c32(0), c32(int32(len(progress)))),
	floods("event flood", "rubbish", abi.Emit, true, "{", c32(0), c32(60<<10)),
	floods("event flood", "too big", abi.Emit, true, "{", c32(0), c32(4<<20)),
	floods("stream flood", "that nobody reads", abi.StreamWrite, true, "x", c32(1), wasmtest.Const64(0), c32(0), c32(4<<20)),
}
