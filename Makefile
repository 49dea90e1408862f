# Two doors: `make demo` shows what the software does, `make test` checks all of it.
# Every target is thin and calls one command; .ci/environment.py makes .venv and is quick when nothing has changed.

SYSTEM_PYTHON ?= python3
# An environment with the CUDA build of torch; docs/compute.md says how to make it.
GPU_PYTHON ?= gpu/bin/python
BIN := .venv/bin

.PHONY: docs release-check measure-atlas measure-statistics measure-time-head walk-defects demo test test-slow real-data screenshots measure-preparation measure-quality measure-familiarity bench-case bench-brain-extraction bench-preprocessing bench-model bench-scale bench-panel bench-real-tumours bench-training check-gpu bundled-model lesion-reader gallery fuzz audit check-docs clean

demo:
	@$(SYSTEM_PYTHON) .ci/environment.py demo
	@$(BIN)/pcnsl-survival demo --out demo-result --overwrite

test:
	@$(SYSTEM_PYTHON) .ci/environment.py test
	@$(BIN)/python .ci/check.py

test-slow:
	@$(SYSTEM_PYTHON) .ci/environment.py test
	@$(BIN)/python -m pytest -m slow --timeout 3600

real-data:
	@$(SYSTEM_PYTHON) .ci/environment.py test
	@$(BIN)/python Testing/real_data.py

screenshots:
	@$(SYSTEM_PYTHON) .ci/environment.py test
	@$(BIN)/python Testing/Slicer/screenshots.py build/screenshots

measure-preparation:
	@$(SYSTEM_PYTHON) .ci/environment.py test
	@$(BIN)/python Testing/benchmarks/measure_preparation.py

measure-quality:
	@$(SYSTEM_PYTHON) .ci/environment.py test
	@$(BIN)/python Testing/benchmarks/measure_quality_limits.py --real

measure-familiarity:
	@$(SYSTEM_PYTHON) .ci/environment.py test
	@$(BIN)/python Testing/benchmarks/measure_familiarity.py

measure-statistics:
	@$(SYSTEM_PYTHON) .ci/environment.py test
	@$(BIN)/python Testing/benchmarks/measure_statistics.py

measure-time-head:
	@$(SYSTEM_PYTHON) .ci/environment.py test
	@$(BIN)/python Testing/benchmarks/measure_time_head.py

measure-atlas:
	@$(SYSTEM_PYTHON) .ci/environment.py test
	@$(BIN)/python Testing/benchmarks/measure_atlas.py

walk-defects:
	@$(SYSTEM_PYTHON) .ci/environment.py test
	@$(BIN)/python Testing/benchmarks/walk_defects.py

bench-preprocessing:
	@$(SYSTEM_PYTHON) .ci/environment.py test
	@$(BIN)/python Testing/benchmarks/bench_preprocessing.py

bench-case:
	@$(SYSTEM_PYTHON) .ci/environment.py test
	@$(BIN)/python Testing/benchmarks/bench_case.py

bench-brain-extraction:
	@$(SYSTEM_PYTHON) .ci/environment.py test
	@$(BIN)/python Testing/benchmarks/bench_brain_extraction.py

bench-model:
	@$(SYSTEM_PYTHON) .ci/environment.py test
	@$(BIN)/python Testing/benchmarks/bench_model.py

bench-scale:
	@$(SYSTEM_PYTHON) .ci/environment.py test
	@$(BIN)/python Testing/benchmarks/bench_scale.py

bench-panel:
	@$(SYSTEM_PYTHON) .ci/environment.py test
	@$(BIN)/python Testing/benchmarks/bench_panel.py

bench-real-tumours:
	@$(SYSTEM_PYTHON) .ci/environment.py test
	@$(BIN)/python Testing/benchmarks/bench_real_tumours.py

bench-training:
	@$(SYSTEM_PYTHON) .ci/environment.py test
	@$(BIN)/python Testing/benchmarks/bench_training.py

check-gpu:
	@$(GPU_PYTHON) Testing/benchmarks/check_gpu.py

bundled-model:
	@$(SYSTEM_PYTHON) .ci/environment.py test
	@$(BIN)/python Resources/experiments/make_bundled_model.py

lesion-reader:
	@$(SYSTEM_PYTHON) .ci/environment.py test
	@$(BIN)/python Resources/experiments/make_lesion_reader.py

gallery:
	@$(SYSTEM_PYTHON) .ci/environment.py test
	@$(BIN)/python Resources/experiments/make_gallery.py

FUZZ_SECONDS ?= 3600

fuzz:
	@$(SYSTEM_PYTHON) .ci/environment.py test
	@$(BIN)/python -m venv build/fuzz-pip
	@build/fuzz-pip/bin/pip install -qq --no-deps --target build/fuzz atheris==3.0.0
	@cd build/fuzz && for target in nifti nrrd metaimage dicom table plan metadata zip; do \
	  PYTHONPATH=. ../../$(BIN)/python ../../Testing/fuzz.py $$target --seconds $(FUZZ_SECONDS) || exit 1; done

audit:
	@$(SYSTEM_PYTHON) .ci/environment.py test
	@$(BIN)/python .ci/sbom.py build/sbom.json
	@$(BIN)/python -m venv build/audit
	@build/audit/bin/pip install -qq pip-audit
	@build/audit/bin/pip-audit --strict --no-deps --disable-pip -r constraints.txt || { \
	  echo "audit: if a package of constraints.txt is 'not found on PyPI', this network reaches a mirror without" \
	    "PyPI's JSON pages; run the audit on a network that reaches PyPI itself."; exit 1; }

docs:
	@$(SYSTEM_PYTHON) .ci/environment.py test
	@$(BIN)/python -m sphinx -q -E -W --keep-going -b html docs build/docs
	@echo "build/docs/index.html"

release-check:
	@$(SYSTEM_PYTHON) .ci/environment.py test
	@$(BIN)/python .ci/release.py

check-docs:
	@$(SYSTEM_PYTHON) .ci/environment.py test
	@$(BIN)/python -m pytest -q --timeout 7200 -m "slow or not slow" Testing/Lib/test_documents.py Testing/Lib/test_tutorials.py
	@QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -q Testing/Slicer/test_tutorial.py

clean:
	rm -rf .venv demo-result
