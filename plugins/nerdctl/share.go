package nerdctl

import (
	"context"
	"strings"
	"sync"
	"time"
)

// looks makes those who want to look at containers while somebody else does share
// the next process: at a start, all of a level become ready at about the same
// time.
type looks struct {
	mu   sync.Mutex
	busy bool
	next []*look
}

// look is what one caller wants to see.
type look struct {
	id string
	// lead makes its caller run the process for all of these.
	lead chan []*look
	// seen is what the leader saw, or closed without it.
	seen chan inspected
}

// join says whether the caller leads, alone; if not, it waits for either channel.
func (ls *looks) join(id string) (l *look, leads bool) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	l = &look{id: id, lead: make(chan []*look, 1), seen: make(chan inspected, 1)}
	if !ls.busy {
		ls.busy = true
		return l, true
	}
	ls.next = append(ls.next, l)
	return l, false
}

// pass has the first who waits lead all who do.
func (ls *looks) pass() {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if len(ls.next) == 0 {
		ls.busy = false
		return
	}
	all := ls.next
	ls.next = nil
	all[0].lead <- all
}

// leave is for a caller that gives up.
func (ls *looks) leave(l *look) {
	ls.mu.Lock()
	for i, other := range ls.next {
		if other == l {
			ls.next = append(ls.next[:i:i], ls.next[i+1:]...)
			ls.mu.Unlock()
			return
		}
	}
	ls.mu.Unlock()
	select {
	case all := <-l.lead:
		giveUp(all)
		ls.pass()
	default: // it is being looked at
	}
}

// giveUp has each look for itself.
func giveUp(all []*look) {
	for _, l := range all {
		close(l.seen)
	}
}

// inspectOne looks at a container once, together with others who want to look. What
// it returns was seen after the call; its state may be unsure.
func (r *Runtime) inspectOne(ctx context.Context, id string) (inspected, error) {
	l, leads := r.looks.join(id)
	if leads {
		defer r.looks.pass()
		return r.inspectAlone(ctx, id)
	}
	patience := time.NewTimer(lookPatience)
	defer patience.Stop()
	select {
	case all := <-l.lead:
		r.inspectFor(ctx, all)
		r.looks.pass()
		if seen, ok := <-l.seen; ok {
			return seen, nil
		}
	case seen, ok := <-l.seen:
		if ok {
			return seen, nil
		}
	case <-patience.C:
		r.looks.leave(l)
	case <-ctx.Done():
		r.looks.leave(l)
	}
	return r.inspectAlone(ctx, id)
}

// lookPatience is how long one look waits for another, which may take seconds on a
// busy machine. A container that can't be looked at must not hide the others.
const lookPatience = 3 * time.Second

// inspectFor looks at the containers of all in one process. When that fails, be
// it for one of them, each looks for itself.
func (r *Runtime) inspectFor(ctx context.Context, all []*look) {
	if len(all) == 1 {
		giveUp(all)
		return
	}
	defer giveUp(all)
	args := []string{"inspect", "--type", "container"}
	wanted := map[string]bool{}
	for _, l := range all {
		if !wanted[l.id] {
			args = append(args, l.id)
		}
		wanted[l.id] = true
	}
	result, err := r.attempt(ctx, call{op: "inspect", args: args, waits: true})
	if err != nil || result.ExitCode != 0 {
		return
	}
	found, err := r.decode(result)
	if err != nil {
		return
	}
	byID := map[string]inspected{}
	for _, one := range found {
		byID[one.ID] = one
		byID[strings.TrimPrefix(one.Name, "/")] = one
	}
	for _, l := range all {
		if seen, ok := byID[l.id]; ok {
			l.seen <- seen
		}
	}
}
