# `make` alone lists what there is. CI runs what stands here and nothing else: see .ci/run.

.DEFAULT_GOAL := help
.PHONY: help demo build test simulate churn soak check counts bench bench-micro bench-outages
.PHONY: bench-growth profile performance fuzz kafka
.PHONY: needs-rust needs-java needs-counts needs-profile needs-fuzz needs-all
SHELL := /bin/sh

KAFKA := 4.1.1
JARS := .cache/kafka-$(KAFKA)

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 20

# With the profile that tests use: whoever tries it first and tests it next builds once.
demo: needs-rust ## see it deliver, with nothing installed: 20 s, after the first build
	cargo run --locked -- demo

build: needs-rust ## build the release binary, target/release/hookcast
	cargo build --release --locked

test: needs-all kafka ## run all tests, those against a real Kafka too
	cargo test --locked

# One that fails is made smaller, and says how it is replayed.
WORLDS := 100000

simulate: needs-rust ## seeded hostile worlds (WORLDS=100000); a thousand are in `make test`
	HOOKCAST_WORLDS=$(WORLDS) cargo test --locked --test simulation in_any_world

# ROUNDS times a member joins and another one leaves, and STOPS times one is stopped and started.
ROUNDS := 20
STOPS := 50

churn: needs-all kafka ## members that come and go, for a minute and more; a few rounds are in `make test`
	HOOKCAST_ROUNDS=$(ROUNDS) HOOKCAST_STOPS=$(STOPS) \
	    cargo test --locked --test kafka churn -- --test-threads 1

# Everything that may happen, at random. The seed of a run that found something replays it, as far
# as processes do.
SOAK_MINUTES := 30
SEED := $(shell date +%s)

soak: needs-all kafka ## all faults at random (SOAK_MINUTES=30, SEED=...); a minute is in `make test`
	HOOKCAST_SOAK_MINUTES=$(SOAK_MINUTES) HOOKCAST_SEED=$(SEED) \
	    cargo test --locked --test kafka soak -- --nocapture

check: needs-rust ## formatting, lints, documentation, dependencies
	cargo fmt --check
	cargo clippy --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --locked --document-private-items
	@if cargo deny --version >/dev/null 2>&1; then \
	    echo 'cargo deny check'; cargo deny --locked check; \
	else \
	    echo 'cargo-deny is not installed: licences and advisories were NOT checked'; \
	    echo '  (cargo install --locked cargo-deny)'; \
	fi

# They know no noise, and stand in a file: a change that costs something shows it in its diff.
# Not as one piece: functions that are no functions any more cannot be told apart.
counts: export CARGO_PROFILE_RELEASE_LTO := thin
counts: export CARGO_PROFILE_RELEASE_CODEGEN_UNITS := 4
counts: needs-counts ## count what an event allocates and executes (1 min); ARGS=--check compares
	cargo bench --locked --bench counts -- $(ARGS)

# Options go in ARGS: `make bench ARGS=--quick`, `make bench ARGS='--runs 5 --json bench.json'`.
# They are those of the second part; the first has `--quick` in common with it.
bench: needs-all kafka ## what moving an event costs, beside the least that it could (6 min)
	cargo build --release --locked
	cargo bench --locked --bench micro -- $(filter --quick,$(ARGS))
	cargo bench --locked --bench end_to_end -- $(ARGS)

# As flame graphs. inferno comes with `cargo install --locked inferno`, perf is linux-perf of Debian.
profile: needs-all needs-profile kafka ## where the time goes, as docs/performance/flame-*.svg (2 min)
	cargo build --release --locked
	mkdir -p target/profile docs/performance
	@set -e; for events in 1000 1; do \
	    cargo bench --locked --bench end_to_end -- --runs 1 --only $$events \
	        --profile $(CURDIR)/target/profile/$$events.perf; \
	    perf script --no-inline --input target/profile/$$events.perf 2>/dev/null \
	        | inferno-collapse-perf --skip-after tokio::runtime::task::raw::poll \
	        --skip-after rd_kafka_broker_thread_main \
	        | inferno-flamegraph --minwidth 0.4 --title "$$events per request" \
	        >docs/performance/flame-$$events.svg; \
	done

bench-micro: needs-rust ## what reading, routing and mapping an event cost, without Kafka (1 min)
	cargo bench --locked --bench micro -- $(ARGS)

bench-outages: needs-all kafka ## what an outage of one endpoint costs the others, and itself (10 min)
	cargo build --release --locked
	cargo bench --locked --bench outages -- $(ARGS)

bench-growth: needs-all kafka ## what an event costs as partitions, actions, sizes ... grow (10 min)
	cargo build --release --locked
	cargo bench --locked --bench growth -- $(ARGS)

# Nothing is measured: the figures are those that ARGS='--json docs/performance/NAME.json' has written,
# NAME being end_to_end (`make bench`), growth (`make bench-growth`) and outages (`make bench-outages`).
FIGURES := docs/performance

performance: needs-rust ## renew the tables and charts of docs/performance.md from the figures beside it
	cargo bench --locked --bench growth -- --from $(FIGURES)/growth.json \
	    $(if $(wildcard $(FIGURES)/end_to_end.json),--end-to-end $(FIGURES)/end_to_end.json) \
	    $(if $(wildcard $(FIGURES)/outages.json),--outages $(FIGURES)/outages.json) \
	    --plots $(FIGURES) --page docs/performance.md

# What reads input is fed with random input, each part for SECONDS. No part of `make test`: it takes
# its time, and a nightly compiler. What it finds stands in fuzz/artifacts, with a log.
SECONDS := 60
FUZZ_TARGETS := trigger mapping template event configuration

fuzz: needs-rust needs-fuzz ## feed random input to what reads input (SECONDS=60 each)
	cargo +nightly fuzz build --sanitizer none
	@set -e; for target in $(FUZZ_TARGETS); do \
	    echo "$$target, for $(SECONDS) s"; log=fuzz/artifacts/$$target.log; \
	    mkdir -p fuzz/artifacts fuzz/corpus/$$target; \
	    cargo +nightly fuzz run --sanitizer none $$target fuzz/corpus/$$target fuzz/seeds/$$target \
	        -- -max_total_time=$(SECONDS) -timeout=10 -print_final_stats=1 >$$log 2>&1 \
	        || { cat $$log; exit 1; }; \
	    sed -n 's/^stat::number_of_executed_units: */  nothing found with inputs: /p' $$log; \
	done

# The jars appear under their name only when all of them are there.
kafka: needs-java ## fetch Apache Kafka for the tests, once (54 MB, from Maven Central)
	@[ -d $(JARS) ] || { \
	    set -e; mkdir -p .cache; folder=$$(mktemp -d .cache/kafka.XXXXXX); \
	    trap 'rm -rf "$$folder"' EXIT; \
	    echo 'fetching Apache Kafka $(KAFKA) into $(JARS)'; \
	    mvn --quiet --batch-mode -Dstyle.color=never --file tests/kafka/pom.xml \
	        dependency:copy-dependencies -DincludeScope=runtime \
	        -DoutputDirectory="$(CURDIR)/$$folder"; \
	    chmod 755 "$$folder"; \
	    [ -d $(JARS) ] || mv "$$folder" $(JARS); \
	}

# What is needed, and the package it comes in. librdkafka, OpenSSL, zlib and zstd are built from
# source: that takes the first three, and minutes, once. Maven is needed only to fetch the jars.
RUST_TOOLS := cc:build-essential c++:build-essential perl:perl cargo:rustup
JAVA_TOOLS := java:default-jdk-headless $(if $(wildcard $(JARS)),,mvn:maven)

define require
	@missing= packages=; \
	for need in $(1); do \
	    tool=$${need%:*} package=$${need#*:}; \
	    case $$tool in \
	    java) version=$$($${JAVA_HOME:+$$JAVA_HOME/bin/}java -version 2>&1 \
	              | sed -n 's/.* version "\([0-9]*\).*/\1/p'); \
	          [ "$${version:-0}" -ge 17 ] && continue; tool='java (17 or later)';; \
	    *)    command -v $$tool >/dev/null && continue;; \
	    esac; \
	    missing="$${missing:+$$missing, }$$tool"; \
	    case " $$packages " in *" $$package "*) ;; *) packages="$$packages $$package";; esac; \
	done; \
	[ -z "$$missing" ] || { \
	    echo "missing: $$missing" >&2; \
	    echo "run: apt-get install --yes$$packages" >&2; \
	    case $$packages in *rustup*) echo '(where apt has no rustup: https://rustup.rs)' >&2;; esac; \
	    exit 1; \
	}
endef

needs-rust:
	$(call require,$(RUST_TOOLS))

needs-counts:
	$(call require,$(RUST_TOOLS) valgrind:valgrind)

needs-profile:
	$(call require,perf:linux-perf)
	@command -v inferno-flamegraph >/dev/null \
	    || { echo 'missing: inferno-flamegraph; run: cargo install --locked inferno' >&2; exit 1; }

needs-java:
	$(call require,$(JAVA_TOOLS))

needs-fuzz:
	@cargo +nightly --version >/dev/null 2>&1 || { \
	    echo 'missing: a nightly toolchain' >&2; \
	    echo 'run: rustup toolchain install nightly --profile minimal' >&2; exit 1; }
	@cargo fuzz --version >/dev/null 2>&1 || { \
	    echo 'missing: cargo-fuzz' >&2; \
	    echo 'run: cargo install --locked cargo-fuzz' >&2; exit 1; }

needs-all:
	$(call require,$(RUST_TOOLS) $(JAVA_TOOLS))
