package main

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// operation is something that can be done.
type operation struct {
	name   string
	weight int
	// can says whether it makes sense now; nil is always.
	can func() bool
	do  func() string
}

func (w *worker) operations() []operation {
	owned := func() bool { return w.owner != nil }
	free := func() bool { return w.owner == nil }
	served := func() bool { return w.owner != nil && w.soak.features.owner }
	many := func() bool { return w.soak.features.owner }
	return []operation{
		{"up", 8, free, w.doUp},
		{"up -d", 3, func() bool { return free() && many() }, w.doUpDetached},
		{"second up", 1, served, w.doSecondUp},
		{"Ctrl-C", 3, owned, w.doInterrupt},
		{"down", 2, free, w.doDown},
		{"down of a living up", 2, served, w.doDown},
		{"kill -9", 3, owned, w.doKill},
		{"kill -9 during up", 2, free, w.doKillDuringUp},
		{"docker kill", 4, nil, w.doKillContainer},
		{"docker rm -f", 3, nil, w.doRemoveContainer},
		{"restart", 3, many, func() string { return w.doOperate("restart") }},
		{"stop and start", 2, many, func() string { return w.doOperate("stop", "start") }},
		{"events --since", 2, served, w.doEvents},
		{"edit", 3, nil, w.doEdit},
		{"ps", 1, nil, func() string { return "" }},
		{"engine restart", 1, func() bool { return !w.soak.options.calm }, w.doRestartEngine},
	}
}

func (w *worker) doUp() string {
	r, err := w.program.begin(nil, "up", "--json")
	if err != nil {
		return w.wrong("%v", err)
	}
	w.running = w.stack.clone()
	started, err := r.await(patience, isStarted)
	if err == nil && started {
		w.owner = r
		w.allIsThere()
		return "is up"
	}
	code := r.command.ProcessState.ExitCode()
	w.expect("up", r, code, err)
	return fmt.Sprintf("code %d", code)
}

func (w *worker) doUpDetached() string {
	w.running = w.stack.clone()
	r, code, err := w.program.once("up", "-d")
	if w.expect("up -d", r, code, err) {
		w.allIsThere()
	}
	return fmt.Sprintf("code %d", code)
}

const ownedCode = 6

func (w *worker) doSecondUp() string {
	r, code, err := w.program.once("up", "--json")
	if err != nil || code != ownedCode {
		w.noteRun("the second up", r)
		return w.wrong("a second up ended with code %d, %v", code, err)
	}
	return "refused"
}

func (w *worker) doInterrupt() string {
	r := w.owner
	code, err := w.stop(r)
	w.endOwner()
	if w.expect("up, after Ctrl-C,", r, code, err) {
		w.nothingIsLeft("Ctrl-C")
	}
	return fmt.Sprintf("code %d", code)
}

// endOwner forgets an owner that has ended.
func (w *worker) endOwner() {
	r := w.owner
	w.owner = nil
	r.mu.Lock()
	bad := r.bad
	r.mu.Unlock()
	if len(bad) > 0 {
		w.noteRun("up", r)
		w.wrong("its events: %s", strings.Join(bad, "; "))
	}
}

func (w *worker) doDown() string {
	r, code, err := w.program.once("down")
	ok := w.expect("down", r, code, err)
	if owner := w.owner; owner != nil && ok {
		ownerCode, err := owner.wait()
		w.endOwner()
		w.expect("up, after down,", owner, ownerCode, err)
	}
	if !ok && w.owner != nil {
		// Whether it was asked to end, before the engine went away, is chance.
		w.owner.kill()
		w.endOwner()
	}
	if ok {
		w.nothingIsLeft("down")
	}
	return fmt.Sprintf("code %d", code)
}

func (w *worker) doKill() string {
	w.owner.kill()
	w.endOwner()
	return "killed"
}

func (w *worker) doKillDuringUp() string {
	// Some die before they did anything, and some only when all is ready.
	at := 1 + w.dice.IntN(4*len(w.stack.resources)+1)
	w.running = w.stack.clone()
	reached := make(chan struct{})
	r, err := w.program.begin(func(n int, e event) {
		if n == at || e.Type == stackStarted && n < at {
			close(reached)
			at = 0
		}
	}, "up", "--json")
	if err != nil {
		return w.wrong("%v", err)
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-reached:
		r.kill()
		return "killed"
	case <-r.ended:
		w.expect("up", r, r.command.ProcessState.ExitCode(), nil)
		return "it ended by itself"
	case <-timer.C:
		r.dump()
		w.noteRun("up", r)
		return w.wrong("STUCK: up came to no event %d", at)
	}
}

// refusal is what is said to who comes while the restart policy is at work
// (L14), or wants to stop what isn't there.
var refusal = regexp.MustCompile("another operation on it is under way|there is no container of it")

// doOperate does one operation after the other on a random resource.
func (w *worker) doOperate(operations ...string) string {
	if w.running == nil {
		return "there is nothing yet"
	}
	var names []string
	for _, r := range w.running.resources {
		if same, ok := w.stack.find(r.name); ok && !same.short {
			names = append(names, r.name)
		}
	}
	if len(names) == 0 {
		return "there is none"
	}
	name := names[w.dice.IntN(len(names))]
	var codes []string
	for _, operation := range operations {
		r, code, err := w.program.once(operation, name)
		codes = append(codes, fmt.Sprintf("%s code %d", operation, code))
		if refused := refusal.FindString(r.stderr.String()); code == 4 && refused != "" {
			codes = append(codes, refused)
			break
		}
		if !w.expect(operation+" "+name, r, code, err) {
			break
		}
	}
	return name + ": " + strings.Join(codes, ", ")
}

// doEvents reads the events from a number on: none may be missing.
func (w *worker) doEvents() string {
	seen := w.owner.seen()
	since := w.dice.IntN(len(seen))
	r, code, err := w.program.once("events", "--json", "--since", fmt.Sprint(seen[since].Seq))
	if !w.expect("events", r, code, err) {
		return fmt.Sprintf("code %d", code)
	}
	got := r.seen()
	for i, e := range seen[since+1:] {
		if i >= len(got) || got[i].Seq != e.Seq || got[i].Type != e.Type || got[i].Resource != e.Resource {
			return w.wrong("events --since %d doesn't have %s", seen[since].Seq, e)
		}
	}
	return fmt.Sprintf("%d events since %d", len(got), seen[since].Seq)
}

func (w *worker) doEdit() string {
	what := w.stack.edit(w.dice)
	if err := w.writeStack(); err != nil {
		return w.wrong("%v", err)
	}
	return what
}
