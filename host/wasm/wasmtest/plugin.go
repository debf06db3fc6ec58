package wasmtest

import "github.com/lightshuttle/lightshuttle/sdk/abi"

// Core adds the marker and the three operations that every runtime has, each
// with an empty success, but for those that are given.
func (m *Module) Core(given map[abi.Operation]Code) {
	m.Marker()
	for _, operation := range []abi.Operation{abi.Start, abi.Stop, abi.WaitHealthy} {
		code := Const(0)
		if c, ok := given[operation]; ok {
			code = c
		}
		m.Op(operation, 4, code)
	}
	for _, ability := range abi.Abilities()[1:] {
		for _, operation := range ability.Operations {
			if c, ok := given[operation]; ok {
				m.Op(operation, 4, c)
			}
		}
	}
}
