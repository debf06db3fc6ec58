package conformance

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// builtImage is the tag that the suite builds. It is always the same, so that a
// target which can't remove images keeps but one.
const builtImage = "lightshuttle-test/built-by-conformance:1"

func (s *stage) prepared(spec sdk.Spec) bool {
	there, err := s.Runtime.(sdk.Preparer).Prepared(s.ctx, spec)
	s.must("prepared", err)
	return there
}

var prepareChecks = []check{
	{
		name: "prepare/nothing-to-do", level: Full, needs: []ability{preparer, images},
		promise: "what is prepared needs nothing more, and preparing it is a success",
		run: func(s *stage) {
			spec := s.spec("web", "wait")
			for _, policy := range []sdk.PullPolicy{"", sdk.PullMissing, sdk.PullNever} {
				spec.Pull = policy
				if !s.prepared(spec) {
					s.errorf("with the pull policy %q, an image that is there isn't prepared", policy)
				}
				s.must("prepare", s.Runtime.(sdk.Preparer).Prepare(s.ctx, spec, nil))
			}
		},
	},
	{
		name: "prepare/always", level: Full, needs: []ability{preparer, images},
		promise: "with the pull policy always there is something to do even when the image is there",
		run: func(s *stage) {
			spec := s.spec("web", "wait")
			spec.Pull = sdk.PullAlways
			if s.prepared(spec) {
				s.errorf("it says that there is nothing to do")
			}
		},
	},
	{
		name: "prepare/no-image", level: Full, needs: []ability{preparer, images},
		promise: "an image that can't be had isn't prepared, and preparing it fails with image_not_found (or unavailable, where its registry is)",
		run: func(s *stage) {
			spec := s.spec("web", "wait")
			spec.Image = s.AbsentImage
			if s.prepared(spec) {
				s.errorf("it says that there is nothing to do")
			}
			s.wantCode("prepare", s.Runtime.(sdk.Preparer).Prepare(s.ctx, spec, nil), sdk.CodeImageNotFound, sdk.CodeUnavailable)
		},
	},
	{
		name: "prepare/never", level: Full, needs: []ability{preparer, images},
		promise: "an image that isn't there and is never to be pulled fails with image_not_found",
		run: func(s *stage) {
			spec := s.spec("web", "wait")
			spec.Image, spec.Pull = s.AbsentImage, sdk.PullNever
			err := s.Runtime.(sdk.Preparer).Prepare(s.ctx, spec, nil)
			s.wantCode("prepare", err, sdk.CodeImageNotFound)
		},
	},
	{
		name: "prepare/pull", level: Full, needs: []ability{preparer, pulling},
		promise: "Prepare pulls an image that is missing, reports its progress, and never after it returned",
		run: func(s *stage) {
			image, remove, err := s.Pullable(s.ctx)
			s.must("offer an image to pull", err)
			s.later(remove)
			spec := s.spec("web", "wait")
			spec.Image = image
			if s.prepared(spec) {
				s.errorf("it says that an image is there that never was")
			}
			s.reports(spec, "pull")
			if !s.prepared(spec) {
				s.errorf("the image isn't there after it was pulled")
			}
			id, err := s.begin(s.ctx, spec)
			s.must("start the image that was pulled", err)
			s.must("remove", s.remove(s.ctx, id))
		},
	},
	{
		name: "prepare/pull-together", level: Full, needs: []ability{preparer, pulling},
		promise: "several may prepare the same image at the same time",
		run: func(s *stage) {
			image, remove, err := s.Pullable(s.ctx)
			s.must("offer an image to pull", err)
			s.later(remove)
			s.allMust("prepare", together(3, func(i int) error {
				spec := s.spec(fmt.Sprintf("web%d", i), "wait")
				spec.Image = image
				return s.Runtime.(sdk.Preparer).Prepare(s.ctx, spec, nil)
			}))
		},
	},
	{
		name: "prepare/pull-cancelled", level: Full, needs: []ability{preparer, pulling},
		promise: "Prepare ends when its context has ended, and a later one succeeds",
		run: func(s *stage) {
			image, remove, err := s.Pullable(s.ctx)
			s.must("offer an image to pull", err)
			s.later(remove)
			spec := s.spec("web", "wait")
			spec.Image = image
			s.soon("prepare", s.preparing(spec), nil)
			s.must("prepare", s.preparing(spec)(s.ctx))
		},
	},
	{
		name: "prepare/build", level: Full, needs: []ability{preparer, building, logger},
		promise: "Prepare builds an image from its folder, with its arguments, and reports its progress",
		run:     prepareBuild,
	},
	{
		name: "prepare/build-fails", level: Full, needs: []ability{preparer, building},
		promise: "a build that fails fails with build_failed",
		run: func(s *stage) {
			spec := s.built("FROM " + s.Workload("wait").Image + "\nCOPY no-such-file /\n")
			err := s.Runtime.(sdk.Preparer).Prepare(s.ctx, spec, nil)
			s.wantCode("prepare", err, sdk.CodeBuildFailed)
		},
	},
}

func (s *stage) preparing(spec sdk.Spec) func(context.Context) error {
	return func(ctx context.Context) error { return s.Runtime.(sdk.Preparer).Prepare(ctx, spec, nil) }
}

// reports prepares the spec and checks what is reported meanwhile.
func (s *stage) reports(spec sdk.Spec, action string) {
	var reports, late atomic.Int64
	var returned atomic.Bool
	err := s.Runtime.(sdk.Preparer).Prepare(s.ctx, spec, func(p sdk.Progress) {
		reports.Add(1)
		if returned.Load() {
			late.Add(1)
		}
		if p.Action != action {
			s.errorf("it reports the action %q, wanted %q", p.Action, action)
		}
	})
	returned.Store(true)
	s.must("prepare", err)
	if reports.Load() == 0 {
		s.errorf("no progress was reported")
	}
	s.pause(10 * pollInterval)
	if late.Load() > 0 {
		s.errorf("progress was reported after Prepare returned")
	}
}

// built is a spec whose image is built from a Dockerfile.
func (s *stage) built(dockerfile string) sdk.Spec {
	folder, err := os.MkdirTemp("", "conformance-")
	s.must("make a folder", err)
	s.later(func() { _ = os.RemoveAll(folder) })
	file := filepath.Join(folder, "Dockerfile")
	s.must("write a Dockerfile", os.WriteFile(file, []byte(dockerfile), 0o600))
	spec := s.spec("built", "show")
	spec.Image = builtImage
	spec.Build = &sdk.Build{Context: folder, Dockerfile: file, Args: map[string]string{"WORD": "from the arguments"}}
	return spec
}

func prepareBuild(s *stage) {
	spec := s.built("FROM " + s.Workload("wait").Image + "\nARG WORD\nENV BUILT_WITH=$WORD\n")
	if s.Outside.RemoveImage != nil {
		s.later(func() {
			ctx, cancel := s.afterwards()
			defer cancel()
			if err := s.Outside.RemoveImage(ctx, spec.Image); err != nil {
				s.errorf("remove the image that was built: %v", err)
			}
		})
	}
	if s.prepared(spec) {
		s.errorf("it says that there is nothing to build, before the sources were looked at")
	}
	s.reports(spec, "build")
	id, err := s.begin(s.ctx, spec)
	s.must("start the image that was built", err)
	if p := s.output(id); !contains(p.stdout(), `"BUILT_WITH":"from the arguments"`) {
		s.errorf("the container doesn't have what the build put into its image: %.300q", p.stdout())
	}
	s.must("remove", s.remove(s.ctx, id))
}
