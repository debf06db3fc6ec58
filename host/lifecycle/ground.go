package lifecycle

import (
	"context"
	"errors"

	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// ground is what every container needs first.
type ground struct {
	ready          bool
	networkCreated bool
}

// layGround makes network and volumes; the containers wait for it, but neither
// pulls nor builds do (L2).
func (m *Manager) layGround() {
	ctx := m.start.ctx
	var networkCreated bool
	m.spawn(func() error {
		var err error
		networkCreated, err = ensureGround(ctx, m.runtime, m.plan)
		return whyEnded(ctx, err)
	}, func(err error) {
		// A creation that was cut off may have happened all the same.
		m.ground.networkCreated = networkCreated || err != nil && m.plan.Network != nil && m.plan.Network.Action == plan.Create
		if errors.Is(err, errStartEnded) {
			return
		}
		if err != nil {
			m.failStart(&Failure{Err: err})
			return
		}
		m.ground.ready = true
		m.startWhatCan()
	})
}

func ensureGround(ctx context.Context, runtime sdk.Runtime, p *plan.Plan) (networkCreated bool, err error) {
	networker, ok := runtime.(sdk.Networker)
	if ok && p.Network != nil && p.Network.Action != plan.Remove {
		networkCreated, err = networker.EnsureNetwork(ctx, p.Network.Network)
		if err != nil {
			return networkCreated, err
		}
	}
	volumer, ok := runtime.(sdk.Volumer)
	if !ok {
		return networkCreated, nil
	}
	for _, step := range p.Volumes {
		if step.Action != plan.Create {
			continue
		}
		if _, err := volumer.EnsureVolume(ctx, step.Volume); err != nil {
			return networkCreated, err
		}
	}
	return networkCreated, nil
}
