package conformance

import (
	"fmt"
	"strconv"
	"strings"
)

func splitArgs(work string) []string { return strings.Fields(work) }

func codeText(code int) string { return strconv.Itoa(code) }

func portText(port uint16) string { return strconv.Itoa(int(port)) }

// urlOf is the address of a workload's server, seen from inside.
func urlOf(port uint16) string { return fmt.Sprintf("http://127.0.0.1:%d/", port) }

func contains(text, part string) bool { return strings.Contains(text, part) }
