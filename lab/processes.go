package main

import (
	"github.com/shirou/gopsutil/v4/process"
)

// seenProcess is a process of this machine.
type seenProcess struct {
	pid, parent int
	arguments   string
}

// processes are those that can be seen; one that ends meanwhile is left out.
func processes() []seenProcess {
	all, err := process.Processes()
	if err != nil {
		return nil
	}
	var seen []seenProcess
	for _, p := range all {
		parent, err := p.Ppid()
		if err != nil {
			continue
		}
		arguments, err := p.Cmdline()
		if err != nil {
			continue
		}
		seen = append(seen, seenProcess{int(p.Pid), int(parent), arguments})
	}
	return seen
}
