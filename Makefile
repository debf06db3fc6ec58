# The two that matter: `make demo` runs a real stack, `make test` passes the
# tests. Both set up what they lack.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)

.PHONY: help
help: ## show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: build
build: ## build bin/lightshuttle
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/lightshuttle ./cmd/lightshuttle

.PHONY: demo
demo: engines build ## run the full example on a real engine
	scripts/demo

.PHONY: test
test: engines ## run all tests, on a real engine, with the race detector
	GOOS=wasip1 GOARCH=wasm go build ./sdk/...
	go vet ./...
	go test -race -timeout 15m ./...

.PHONY: lint
lint: ## run the linters
	$$(scripts/tool golangci-lint) run
	if command -v shellcheck >/dev/null; then shellcheck -x .ci/run scripts/engine scripts/demo scripts/tool scripts/fuzz scripts/images/ensure scripts/images/standins scripts/images/*/*.sh; fi

.PHONY: fuzz
fuzz: ## fuzz every target for FUZZTIME (10s)
	scripts/fuzz $(or $(FUZZTIME),10s)

.PHONY: bench
bench: engines build ## compare with docker compose and with a raw floor
	go run ./bench -compose "$$(scripts/tool docker-compose)" $(BENCHFLAGS)

.PHONY: engines
engines: ## install and start the engine, and make the images that tests need
	scripts/engine
	scripts/images/ensure

.PHONY: generate
generate: ## write again what is generated
	go generate ./...

.PHONY: clean
clean: ## remove what was built
	rm -rf bin
