package nerdctl

import "encoding/json"

// Warm does ahead what the operations would have to do first. It is for modules,
// whose operations all begin with the state that the module was initialised with.
func Warm() {
	var seen []inspected
	_ = json.Unmarshal([]byte(`[{}]`), &seen)
	unsureLine()
}
