package lifecycle

import "sync"

// inbox carries what happened to the owner. It is unbounded, so that a worker
// never waits for the owner, and the owner takes all of it at once.
type inbox struct {
	mu    sync.Mutex
	queue []func()
	// filled has room for one token: that the queue isn't empty.
	filled chan struct{}
}

func newInbox() *inbox { return &inbox{filled: make(chan struct{}, 1)} }

func (b *inbox) post(message func()) {
	b.mu.Lock()
	b.queue = append(b.queue, message)
	b.mu.Unlock()
	select {
	case b.filled <- struct{}{}:
	default:
	}
}

// take returns what was posted, in order, reusing the memory of the last batch.
func (b *inbox) take(spent []func()) []func() {
	clear(spent)
	b.mu.Lock()
	defer b.mu.Unlock()
	batch := b.queue
	b.queue = spent[:0]
	return batch
}
