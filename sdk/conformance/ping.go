package conformance

import (
	"context"

	"github.com/lightshuttle/lightshuttle/sdk"
)

var pingChecks = []check{
	{
		name: "ping/describes", level: Full, needs: []ability{pinger},
		promise: "Ping reaches the engine and describes it",
		run: func(s *stage) {
			info, err := s.Runtime.(sdk.Pinger).Ping(s.ctx)
			s.must("ping", err)
			if info.Name == "" || info.Version == "" {
				s.errorf("ping says nothing of name or version: %+v", info)
			}
		},
	},
	{
		name: "ping/cancelled", level: Full, needs: []ability{pinger},
		promise: "Ping ends with its context",
		run: func(s *stage) {
			s.soon("ping", func(ctx context.Context) error {
				_, err := s.Runtime.(sdk.Pinger).Ping(ctx)
				return err
			}, nil)
		},
	},
}
