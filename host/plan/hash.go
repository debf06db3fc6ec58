package plan

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Hash identifies what is wanted: two plans with the same hash lead to the same
// containers, whatever was there before. It is hex.
func (p *Plan) Hash() string {
	sum := sha256.New()
	for _, step := range p.Steps {
		if step.Spec != nil {
			sum.Write([]byte(step.Resource + "=" + step.Spec.Labels[sdk.LabelHash] + "\n"))
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}
