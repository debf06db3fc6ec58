// Command guest is the plugin of the comparison with Extism: it gives back what
// it is given.
package main

import "github.com/extism/go-pdk"

//go:wasmexport echo
func echo() int32 {
	pdk.Output(pdk.Input())
	return 0
}

func main() {}
