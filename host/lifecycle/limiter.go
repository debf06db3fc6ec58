package lifecycle

// limiter bounds how many pieces of work of one kind go on at a time. The owner
// alone uses it.
type limiter struct {
	limit   int
	used    int
	waiting []func()
}

// run calls work now or when its turn comes. Each call is followed by one done.
func (l *limiter) run(work func()) {
	if l.used < l.limit {
		l.used++
		work()
		return
	}
	l.waiting = append(l.waiting, work)
}

// done frees the place of one piece of work.
func (l *limiter) done() {
	l.used--
	if len(l.waiting) == 0 {
		return
	}
	next := l.waiting[0]
	l.waiting[0] = nil
	l.waiting = l.waiting[1:]
	l.used++
	next()
}

// clear forgets what waits for its turn.
func (l *limiter) clear() { l.waiting = nil }
