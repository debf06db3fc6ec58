package manifest

import (
	"fmt"
	"strings"

	"github.com/distribution/reference"
)

// parseImage checks a reference to an image, and says whether it has a tag or a
// digest.
func parseImage(text string) (tagged bool, err error) {
	named, err := reference.ParseNormalizedNamed(text)
	if err != nil {
		if _, lower := reference.ParseNormalizedNamed(strings.ToLower(text)); lower == nil {
			return false, fmt.Errorf("%q is not an image: its name must be in lower case", text)
		}
		return false, fmt.Errorf("%q is not an image: write it as name:tag", text)
	}
	return !reference.IsNameOnly(named), nil
}
