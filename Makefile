# Each task is one call of bootstrap.py, which also runs without make: python bootstrap.py TASK
PYTHON ?= python3
export PORT NO_BROWSER EXTRAS ONLY CHAPTER SEEDS ASSIGNMENT JOBS TEST
.DEFAULT_GOAL := help
.PHONY: help lab test soak build check demo grade release worksheet bench site docs sizes locks format clean

help: ## list tasks and options
	@"$(PYTHON)" bootstrap.py $@

lab: ## set up, copy the lessons to my/ and open JupyterLab on the first one
	@"$(PYTHON)" bootstrap.py $@

test: ## every deterministic check
	@"$(PYTHON)" bootstrap.py $@

soak: ## minutes more: runs killed and resumed, a thousand submissions, networks on every core
	@"$(PYTHON)" bootstrap.py $@

build: ## make notebooks/, solutions/ and exercises/ from authoring/
	@"$(PYTHON)" bootstrap.py $@

check: ## say what is not built from the scripts, and why, and what is rotten in the book
	@"$(PYTHON)" bootstrap.py $@

demo: ## grade a made-up class of eight
	@"$(PYTHON)" bootstrap.py $@

grade: ## grade what was handed in for ASSIGNMENT
	@"$(PYTHON)" bootstrap.py $@

release: ## pack what students get, without keys and solutions
	@"$(PYTHON)" bootstrap.py $@

worksheet: ## print quizzes of CHAPTER with an answer sheet
	@"$(PYTHON)" bootstrap.py $@

bench: ## run the benchmarks
	@"$(PYTHON)" bootstrap.py $@

site: ## build the browser edition in site/out
	@"$(PYTHON)" bootstrap.py $@

docs: ## build the reference of tinylib in docs/api
	@"$(PYTHON)" bootstrap.py $@

sizes: ## lines of every room
	@"$(PYTHON)" bootstrap.py $@

locks: ## resolve requirements.lock and locks/ anew (needs the network)
	@"$(PYTHON)" bootstrap.py $@

format: ## lay out the code and repair what lint can
	@"$(PYTHON)" bootstrap.py $@

clean: ## delete caches and build products, never .venv or my/
	@"$(PYTHON)" bootstrap.py $@
