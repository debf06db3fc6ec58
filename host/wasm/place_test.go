package wasm

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestAPlaceIsWaitedForPatiently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &Plugin{places: make(chan struct{}, places)}
		var leave []func()
		for range places {
			leave = append(leave, p.place(t.Context()))
		}
		began := time.Now()
		go func() {
			<-time.After(time.Second) // virtual time
			leave[0]()
		}()
		leave[0] = p.place(t.Context())
		if waited := time.Since(began); waited != time.Second {
			t.Errorf("it waited %s for a place that was left after a second", waited)
		}
		began = time.Now()
		p.place(t.Context())()
		if waited := time.Since(began); waited != placePatience {
			t.Errorf("where nobody leaves it waited %s", waited)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began = time.Now()
		p.place(ctx)()
		if waited := time.Since(began); waited != time.Second {
			t.Errorf("its caller has gone after a second, and it waited %s", waited)
		}
		for _, leave := range leave {
			leave()
		}
		if len(p.places) != 0 {
			t.Errorf("%d places are taken when all have left", len(p.places))
		}
	})
}
