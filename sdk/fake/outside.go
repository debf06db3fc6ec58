package fake

import (
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Exit ends the resource's container from outside, as a crash does.
func (r *Runtime) Exit(resource string, code int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.containers {
		if c.state.Resource == resource {
			r.end(c, code)
		}
	}
}

// RemoveOutside removes the resource's container behind the program's back.
func (r *Runtime) RemoveOutside(resource string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, c := range r.containers {
		if c.state.Resource == resource {
			r.end(c, 137)
			delete(r.containers, id)
			r.tell(sdk.EventRemoved, c)
		}
	}
}

// StartOutside starts the resource's ended container again behind the
// program's back.
func (r *Runtime) StartOutside(resource string) {
	r.each(resource, func(c *container) {
		if !c.state.Ended() {
			return
		}
		c.state.Status, c.state.ExitCode, c.state.StartedAt = sdk.StatusRunning, nil, time.Now()
		c.ended = make(chan struct{})
		r.tell(sdk.EventStarted, c)
	})
}

// Pause freezes the resource's container behind the program's back.
func (r *Runtime) Pause(resource string) {
	r.each(resource, func(c *container) {
		if c.state.Status == sdk.StatusRunning {
			c.state.Status = sdk.StatusPaused
			r.tell(sdk.EventPaused, c)
		}
	})
}

// Unpause undoes Pause.
func (r *Runtime) Unpause(resource string) {
	r.each(resource, func(c *container) {
		if c.state.Status == sdk.StatusPaused {
			c.state.Status = sdk.StatusRunning
			r.tell(sdk.EventUnpaused, c)
		}
	})
}

// SetHealth changes what the engine's own healthcheck says.
func (r *Runtime) SetHealth(resource string, health sdk.Health) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.containers {
		if c.state.Resource != resource {
			continue
		}
		c.state.Health = health
		if health == sdk.HealthHealthy {
			r.tell(sdk.EventHealthy, c)
		} else {
			r.tell(sdk.EventUnhealthy, c)
		}
	}
}

// LoseEvents ends all subscriptions, as an engine that goes away does.
func (r *Runtime) LoseEvents() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for w := range r.watchers {
		w.put(sdk.Event{Type: sdk.EventLost, Time: time.Now()})
		delete(r.watchers, w)
	}
}

// each calls change for the resource's containers, under the lock.
func (r *Runtime) each(resource string, change func(*container)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.containers {
		if c.state.Resource == resource {
			change(c)
		}
	}
}
