# `make` alone lists what there is. CI runs what stands here and nothing else: see .ci/run.

.DEFAULT_GOAL := help
.PHONY: help build test check kafka needs-rust needs-java
.DELETE_ON_ERROR:
SHELL := /bin/sh

KAFKA := 4.1.1
JARS := .cache/kafka-$(KAFKA)

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 16

build: needs-rust ## build the release binary, target/release/hookcast
	cargo build --release --locked

test: needs-rust kafka ## run all tests, those against a real Kafka too
	cargo test --locked

check: needs-rust ## formatting, lints, documentation, dependencies
	cargo fmt --check
	cargo clippy --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --locked --document-private-items
	@if cargo deny --version >/dev/null 2>&1; then \
	    echo 'cargo deny check'; cargo deny --locked check; \
	else \
	    echo 'cargo-deny is not installed: licences and advisories were NOT checked (cargo install --locked cargo-deny)'; \
	fi

# The jars appear under their name only when all of them are there.
kafka: needs-java ## fetch Apache Kafka for the tests, once (54 MB, from Maven Central)
	@[ -d $(JARS) ] || { \
	    set -e; mkdir -p .cache; folder=$$(mktemp -d .cache/kafka.XXXXXX); \
	    trap 'rm -rf "$$folder"' EXIT; \
	    echo 'fetching Apache Kafka $(KAFKA) into $(JARS)'; \
	    mvn --quiet --batch-mode --file tests/kafka/pom.xml dependency:copy-dependencies \
	        -DincludeScope=runtime -DoutputDirectory="$(CURDIR)/$$folder"; \
	    chmod 755 "$$folder"; \
	    mv -T "$$folder" $(JARS) || [ -d $(JARS) ]; \
	}

# librdkafka, OpenSSL, zlib and zstd are built from source: that takes these four, and minutes, once.
needs-rust:
	@missing=; \
	for tool in cc c++ perl; do command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	if [ -n "$$missing" ]; then \
	    echo "missing:$$missing; run: apt-get install --yes build-essential perl" >&2; exit 1; \
	fi; \
	if ! command -v cargo >/dev/null; then \
	    echo "missing: cargo; run: apt-get install --yes rustup (or see https://rustup.rs)" >&2; exit 1; \
	fi

needs-java:
	@missing=; \
	java=$${JAVA_HOME:+$$JAVA_HOME/bin/}java; \
	version=$$($$java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p'); \
	[ "$${version:-0}" -ge 17 ] || missing="$$missing java (17 or later)"; \
	[ -d $(JARS) ] || command -v mvn >/dev/null || missing="$$missing mvn"; \
	if [ -n "$$missing" ]; then \
	    echo "missing:$$missing; run: apt-get install --yes openjdk-17-jdk-headless maven" >&2; exit 1; \
	fi
