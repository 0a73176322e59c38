# SPDX-License-Identifier: Apache-2.0
# Compiled Python stays out of the checkout, which may belong to another user than the lab's.
LAB = PYTHONDONTWRITEBYTECODE=1 python3 -m lab

.PHONY: demo demo-up demo-status demo-down test bench docs

demo:          ## bring the lab up, make a Hadoop cluster, run a job on it; HOSTS=3 for three compute hosts, STORE=swift for an object store, HORIZON=1 for a dashboard
	@$(LAB) demo

demo-up:       ## OpenStack with the node image registered, no cluster
	@$(LAB) up

demo-status:   ## what runs
	@$(LAB) status

demo-down:     ## take everything away but the caches in the state directory
	@$(LAB) down

test:          ## lint, types, unit, functional, contract and end-to-end tests until one fails; KEEP_GOING=1 for all
	@$(LAB) test

bench:         ## what this package costs beside stock Sahara; BENCH=remote for a part of it
	@$(LAB) bench $(BENCH)

docs:          ## the documentation as web pages, in build/docs
	@$(LAB) docs
