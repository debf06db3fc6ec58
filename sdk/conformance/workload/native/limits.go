//go:build unix

package native

import (
	"os"
	"strconv"
	"strings"

	"github.com/lightshuttle/lightshuttle/sdk/conformance/workload"
)

const cgroup = "/sys/fs/cgroup/"

// unlimited is less than what version 1 writes where there is no limit.
const unlimited = 1 << 60

// limits reads the bounds from the control group, of version 2 or 1.
func limits(s *workload.Self) {
	s.Memory = first("memory.max", "memory/memory.limit_in_bytes")
	s.PIDs = first("pids.max", "pids/pids.max")
	if fields := strings.Fields(content("cpu.max")); len(fields) == 2 {
		s.CPU = billionths(number(fields[0]), number(fields[1]))
		return
	}
	s.CPU = billionths(first("cpu/cpu.cfs_quota_us"), first("cpu/cpu.cfs_period_us"))
}

func billionths(quota, period int64) int64 {
	if quota <= 0 || period <= 0 {
		return 0
	}
	return quota * 1_000_000_000 / period
}

func first(files ...string) int64 {
	for _, file := range files {
		if n := number(strings.TrimSpace(content(file))); n > 0 && n < unlimited {
			return n
		}
	}
	return 0
}

func content(file string) string {
	data, err := os.ReadFile(cgroup + file)
	if err != nil {
		return ""
	}
	return string(data)
}

func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
