# How traffickers are sentenced in Serbia: from raw figures to rendered notebooks.
#
#   make                     everything, with the parameters of params/default.yml
#   make COUNTRY=MKD         another country; PARAMS=params/quick.yml another set; SET=name=value one parameter
#
# A run with other than the default parameters has a tree of its own below build/runs, so the committed tables
# (data/processed, results) always belong to the defaults.

.DELETE_ON_ERROR:
.SUFFIXES:
SHELL := /bin/sh
MAKEFLAGS += --no-builtin-rules

PARAMS ?= params/default.yml
COUNTRY ?=
SET ?=
NARRATIVES ?=
PYTHON ?= python3

# What is typed is data: make does not expand it, a shell gets it in quotation marks ($(call quoted,…)), and what becomes
# part of the names of folders may hold certain signs only. File names are part of rules, so they may not hold others.
define newline


endef
comma  := ,
signs  := $(comma) a b c d e f g h i j k l m n o p q r s t u v w x y z A B C D E F G H I J K L M N O P Q R S T U V W X Y Z \
    0 1 2 3 4 5 6 7 8 9 . _ - + / = [ ]
typed  := MUTANTS KILLS SEED PARAMS COUNTRY SET NARRATIVES SCORES PRINT YEARS COUNTRIES FETCH WORKERS SCHEDULER QUICK PYTHON
quoted  = '$(subst ','\'',$(1))'
refuse  = $(error $(1)=$(value $(1)) cannot be used: $(2))
$(foreach name,$(foreach any,$(typed),$(if $(filter undefined,$(origin $(any))),,$(any))),\
    $(eval override $(name) := $$(value $(name)))\
    $(if $(findstring $(newline),$($(name))),$(call refuse,$(name),it has more than one line)))
$(foreach name,PARAMS COUNTRY SET,$(eval rest := $$($(name)))\
    $(foreach sign,$(signs),$(eval rest := $$(subst $$(sign),,$$(rest))))\
    $(if $(strip $(rest)),$(call refuse,$(name),it may hold letters without accents and digits and . _ - + / = [ ] and \
    commas. This has $(strip $(rest)))))
strange := $(shell LC_ALL=C find data docs notebooks params src ! -name '.*' -name '*[!A-Za-z0-9._~-]*')
$(if $(strange),$(error Names of files may hold letters without accents and digits and . _ - only. Rename $(strange)))

# For `make profile` COUNTRY is whose page is made, from the tables that all pages share.
given   := $(if $(filter profile profiles,$(MAKECMDGOALS)),,$(COUNTRY:%=country=%)) $(SET)
space   := $(subst ,, )
others  := $(basename $(patsubst params/%,%,$(filter-out params/default.yml,$(PARAMS)))) $(given)
variant := $(subst /,-,$(subst =,-,$(subst $(space),+,$(strip $(others)))))
$(if $(filter . ..,$(variant)),$(error $(variant) is no name of a set of parameters))
root    := $(if $(variant),build/runs/$(variant))
BUILD   := $(if $(variant),$(root),build)
TABLES  := $(if $(variant),$(root)/)data/processed
VALUES  := $(if $(variant),$(root)/)results
RUN     := $(BUILD)/notebooks
SITE    := $(BUILD)/site
PAGES   := $(BUILD)/profiles

BIN    := .venv/bin
PY     := $(BIN)/python
READY  := .venv/.ready
code   := $(filter-out src/sentencing/notebooks.py,$(wildcard $(addprefix src/sentencing/,*.py models/*.py inference/*.py))) \
    src/sentencing/notebooks.py
raw     = $(foreach table,$(1),data/raw/$(table).csv data/raw/$(table).yml)
shared := $(READY) $(code) $(call raw,sources)

sidecars  := $(wildcard data/raw/*.yml data/raw/*/*.yml)
NOTEBOOKS := $(basename $(notdir $(wildcard notebooks/*.ipynb)))
EXECUTED  := $(NOTEBOOKS:%=$(RUN)/%.ipynb)
CHECKED   := build/.checked

# Times may lie: of a clock that was set back, of a file that was cut off or was changed while it was read. Beside each
# of these targets stands what it was made from, by content; one for which that does not hold any more is made anew.
stamps  := $(CHECKED) $(BUILD)/parameters/.resolved $(if $(variant),,build/.summary build/.readme build/.package)
targets := $(stamps) $(EXECUTED) $(SITE)/index.html
.PHONY: $(shell test ! -x $(PY) || $(PY) -m sentencing.made unfit $(targets))
made     = @$(PY) -m sentencing.made run $@ --from $^ --with

.PHONY: all
all: site readme package  ## Run everything that is out of date and render the pages (the default)
	@echo "Up to date. Open $(SITE)/index.html"

.PHONY: help
help:  ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo "  Options: COUNTRY=MKD  PARAMS=params/quick.yml  SET=conflict_rule=latest  (they combine)"

# --- Environment --------------------------------------------------------------------------------------------------

$(READY): requirements.txt pyproject.toml
	@echo "Installing the pinned packages into .venv (once; some minutes)"
	@if command -v uv >/dev/null 2>&1; then \
	    test -x $(PY) || uv venv --quiet --python $(call quoted,$(PYTHON)) .venv; \
	    uv pip install --quiet --python $(PY) --require-hashes -r requirements.txt && \
	    uv pip install --quiet --python $(PY) --no-build-isolation --no-deps -e .; \
	else \
	    test -x $(PY) || $(call quoted,$(PYTHON)) -m venv .venv; \
	    $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt && \
	    $(PY) -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .; \
	fi
	@touch $@

.PHONY: lab
lab: $(READY)  ## Open the notebooks in JupyterLab
	$(BIN)/jupyter lab notebooks

# --- Raw tables ---------------------------------------------------------------------------------------------------

.PHONY: check
check: $(READY)  ## Check every raw table and list all problems
	@$(PY) -m sentencing.schemas

# All tables are checked, those too that no notebook reads, before anything runs: all problems are told at once.
$(CHECKED): $(READY) src/sentencing/schemas.py $(wildcard data/raw/*.csv data/raw/*/*.csv) $(sidecars)
	$(made) -- $(PY) -m sentencing.schemas

# A missing raw file is told by that check, in words, rather than by make.
data/raw/%: ;

# --- Fetching -----------------------------------------------------------------------------------------------------
# Nothing else needs it. FETCH takes further options: make fetch FETCH="--workbook --delay 5"; see REPRODUCING.md. Each
# of its words is one, so that none can have a space in it.

YEARS     ?= 2018
COUNTRIES ?= SRB
FETCH     ?=

.PHONY: fetch
fetch: $(READY)  ## Download narratives, YEARS=2018 COUNTRIES=SRB,BGR (needs a connection)
	@$(PY) -m sentencing.fetch --years=$(call quoted,$(YEARS)) --countries=$(call quoted,$(COUNTRIES)) \
	    $(foreach word,$(FETCH),$(call quoted,$(word)))

# --- Notebooks ----------------------------------------------------------------------------------------------------
# One recipe runs any notebook; below it stands what each one reads and writes.

$(BUILD)/parameters/.resolved: $(READY) $(PARAMS) $(wildcard notebooks/*.ipynb) src/sentencing/notebooks.py
	$(made) $(NOTEBOOKS:%=$(@D)/%.yml) -- \
	    $(PY) -m sentencing.notebooks parameters --params=$(call quoted,$(PARAMS)) \
	    $(foreach pair,$(given),--set=$(call quoted,$(pair))) --root=$(call quoted,$(root)) --to $(@D)

# A parameter file changes only when its content does, so one changed value reruns only the notebooks that have it.
$(BUILD)/parameters/%.yml: $(BUILD)/parameters/.resolved ;

$(EXECUTED): $(RUN)/%.ipynb: notebooks/%.ipynb $(BUILD)/parameters/%.yml $(shared) | $(CHECKED)
	$(made) $(outputs_of_$*) -- $(PY) -m sentencing.notebooks run $* --parameters $(BUILD)/parameters/$*.yml --to $@

.PHONY: notebooks
notebooks: $(EXECUTED)  ## Run the notebooks that are out of date

# writes: $(1) = notebook, $(2) = its outputs. One that is missing or not as it was written makes its notebook run again.
define writes
outputs_of_$(1) := $(2)
$(2): $(RUN)/$(1).ipynb ;
endef

coders = $(foreach kind,$(1),$(addprefix tip/coded_2018_$(kind)_,first second))

$(RUN)/01-clean-tip-report.ipynb: data/corrections.yml $(call raw,tip/coded_2018_counts tip/coded_2018_flags \
    tip/serbia_figures tip/other_editions_figures tip/tiers unodc/country_totals $(call coders,counts custody sentences statutes))
$(eval $(call writes,01-clean-tip-report,$(TABLES)/justice.csv $(TABLES)/revisions.csv $(TABLES)/tiers.csv \
    $(TABLES)/coverage.csv $(VALUES)/01-clean-tip-report.json))

$(RUN)/02-clean-national-centre.ipynb: data/corrections.yml $(call raw,centre/victims)
$(eval $(call writes,02-clean-national-centre,$(TABLES)/victims.csv $(TABLES)/victims_conflicts.csv \
    $(VALUES)/02-clean-national-centre.json))

$(RUN)/03-assemble-sentences.ipynb: data/corrections.yml $(call raw,tip/coded_2018_sentences tip/coded_2018_custody \
    tip/coded_2018_statutes tip/other_editions_figures tip/other_editions_sentence_groups courts/serbia_cases \
    courts/serbia_sentence_bands courts/serbia_sentence_groups courts/serbia_official_sentences courts/serbia_statute \
    courts/world_cases $(call coders,sentences flags))
$(eval $(call writes,03-assemble-sentences,$(TABLES)/evidence.csv $(TABLES)/evidence_by_coder.csv \
    $(TABLES)/custody.csv $(TABLES)/statutes.csv $(VALUES)/03-assemble-sentences.json))

$(RUN)/04-victims-and-justice.ipynb: data/corrections.yml $(TABLES)/justice.csv $(TABLES)/victims.csv \
    $(TABLES)/evidence.csv $(TABLES)/custody.csv $(call raw,courts/serbia_proceedings centre/outside_estimates)
$(eval $(call writes,04-victims-and-justice,$(VALUES)/04-victims-and-justice.json))

$(RUN)/05-sentences-in-serbia.ipynb: $(TABLES)/evidence.csv $(TABLES)/justice.csv $(TABLES)/statutes.csv \
    $(TABLES)/custody.csv
$(eval $(call writes,05-sentences-in-serbia,$(VALUES)/sentences-in-serbia.svg $(VALUES)/fitted-distributions.csv \
    $(VALUES)/05-sentences-in-serbia.json))

$(RUN)/06-compare-countries.ipynb: data/corrections.yml $(TABLES)/evidence.csv $(TABLES)/tiers.csv \
    $(TABLES)/statutes.csv $(TABLES)/coverage.csv $(TABLES)/justice.csv $(TABLES)/custody.csv \
    $(call raw,controls/country_year)
$(eval $(call writes,06-compare-countries,$(VALUES)/sentences-by-country.csv $(VALUES)/06-compare-countries.json))

$(RUN)/08-check-claims.ipynb: data/corrections.yml $(call raw,claims courts/serbia_cases courts/world_cases \
    courts/serbia_proceedings tip/serbia_figures unodc/serbia_detail) $(TABLES)/victims.csv $(TABLES)/statutes.csv \
    $(VALUES)/05-sentences-in-serbia.json
$(eval $(call writes,08-check-claims,$(VALUES)/08-check-claims.json))

profiled := $(addprefix $(TABLES)/,justice.csv victims.csv evidence.csv custody.csv statutes.csv tiers.csv coverage.csv) \
    $(VALUES)/sentences-by-country.csv
$(RUN)/country-profile.ipynb: data/corrections.yml $(profiled) $(call raw,controls/country_year tip/coded_2018_flags \
    unodc/country_totals)
$(eval $(call writes,country-profile,$(VALUES)/country-profile.json))

# --- Country pages ------------------------------------------------------------------------------------------------
# One notebook for many countries. What is up to date stays; a country that fails stops no other, and the pages are
# rendered all the same. WORKERS=2: so many processes; SCHEDULER=tcp://host:port: a cluster; see REPRODUCING.md.

WORKERS   ?= 1
SCHEDULER ?=
distributed = $(if $(SCHEDULER),--scheduler=$(call quoted,$(SCHEDULER)),--workers=$(call quoted,$(WORKERS)))
profile = $(PY) -m sentencing.kernels around $(PY) -m sentencing.countries --to $(PAGES) \
    --parameters $(BUILD)/parameters/country-profile.yml $(distributed)

.PHONY: profile
profile: $(RUN)/country-profile.ipynb  ## Make the page of one country, COUNTRY=MKD (or MKD,HRV)
	@test -n $(call quoted,$(COUNTRY)) || { echo "Say which country: make profile COUNTRY=MKD"; exit 2; }
	@$(profile) --countries=$(call quoted,$(COUNTRY)); made=$$?; $(MAKE) --no-print-directory site COUNTRY= && exit $$made

.PHONY: profiles
profiles: $(RUN)/country-profile.ipynb  ## Make the pages of all countries with data (WORKERS=2 or SCHEDULER=address)
	@$(profile); made=$$?; $(MAKE) --no-print-directory site COUNTRY= && exit $$made

$(RUN)/07-robustness.ipynb: $(TABLES)/evidence.csv $(TABLES)/evidence_by_coder.csv params/multiverse.yml \
    results/multiverse.csv
$(eval $(call writes,07-robustness,$(VALUES)/07-robustness.json))

$(RUN)/07-robustness-countries.ipynb: data/corrections.yml $(addprefix $(TABLES)/,evidence.csv evidence_by_coder.csv \
    tiers.csv statutes.csv) $(call raw,controls/country_year) params/multiverse-countries.yml \
    results/multiverse-countries.csv results/multiverse-countries-without.csv
$(eval $(call writes,07-robustness-countries,$(VALUES)/07-robustness-countries.json))

# The lesson reads no table of evidence; what it shows of the simulation is kept with the repository.
$(RUN)/how-the-estimator-works.ipynb: results/simulation.csv
$(eval $(call writes,how-the-estimator-works,$(VALUES)/how-the-estimator-works.json))

$(RUN)/what-to-publish.ipynb: $(TABLES)/evidence.csv $(TABLES)/justice.csv params/publication.yml \
    results/publication-designs.csv
$(eval $(call writes,what-to-publish,$(VALUES)/what-to-publish.json))

# --- Pages --------------------------------------------------------------------------------------------------------

values := $(NOTEBOOKS:%=$(VALUES)/%.json)
pages  := $(wildcard $(addprefix src/sentencing/site/,*.py explorer.* templates/* theme/* theme/*/* static/*) docs/* results/narrative-scores.csv results/trust.json \
    $(PAGES)/.made/*.json)

.PHONY: site
site: $(SITE)/index.html  ## Render the pages

explored := $(TABLES)/evidence.csv $(VALUES)/fitted-distributions.csv $(VALUES)/sentences-by-country.csv

$(SITE)/index.html: $(EXECUTED) $(values) $(explored) $(pages) $(shared) $(CHECKED) data/corrections.yml
	$(made) $(SITE) -- $(PY) -m sentencing.site --executed $(RUN) --results $(VALUES) --profiles $(PAGES) \
	    --parameters $(BUILD)/parameters/country-profile.yml --explorer $(BUILD)/parameters --to $(SITE)

# PRINT=country-mkd,method: these pages in place of those of all notebooks.
PRINT ?=

.PHONY: pdf
pdf: $(SITE)/index.html  ## Print the notebooks' pages as PDF, PRINT=country-mkd,method others (needs chromium)
	@$(PY) -m sentencing.site.pdf --site $(SITE) --to $(BUILD)/pdf --pages=$(call quoted,$(PRINT))

# The summary in Serbian is a page of the site, so its findings are written before. Like those in the README they are
# those of the default parameters.
$(SITE)/index.html: $(if $(variant),,build/.summary)

build/.summary: $(values) src/sentencing/site/serbian.py docs/sazetak.md
	$(made) docs/sazetak.md -- $(PY) -m sentencing.site.serbian --results $(VALUES) --page docs/sazetak.md

.PHONY: readme
readme: $(if $(variant),,build/.readme)

build/.readme: $(values) $(pages) README.md
	$(made) README.md -- $(PY) -m sentencing.site --results $(VALUES) --readme README.md

# --- Descriptions ---------------------------------------------------------------------------------------------------
# What data and software are, for machines, and how far columns are filled. Of the default parameters only.

.PHONY: package
package: $(if $(variant),,build/.package)  ## Describe data and software (datapackage.json and others), if out of date

described := $(wildcard data/processed/* results/* notebooks/*.ipynb src/sentencing/package/*.py) CITATION.cff \
    LICENSE-DATA.md docs/changelog.md requirements.txt pyproject.toml

packaged := README.md data/processed/README.md results/README.md datapackage.json ro-crate-metadata.json codemeta.json

build/.package: $(values) $(described) $(CHECKED) | build/.readme
	$(made) $(packaged) -- $(PY) -m sentencing.package

# --- Audit and archive ----------------------------------------------------------------------------------------------

.PHONY: audit
audit: all  ## Look at everything as a data editor would: sources, programs, private data, licences (build/audit.json)
	@$(PY) -m sentencing.audit

# Of what is committed, in two folders with environments of their own. What each check found is kept in build/trust.
# LONG=yes: the results of the longer commands are made anew, too (an hour).
LONG ?=

.PHONY: verify
verify: $(READY)  ## Build twice from clean clones in other circumstances and compare every byte (ten minutes)
	@$(PY) -m sentencing.trust.verify $(if $(LONG),--long)

.PHONY: newest
newest: $(READY)  ## Build and test with the newest packages in place of the pinned ones (needs a connection)
	@$(PY) -m sentencing.trust.newest

.PHONY: trust
trust: $(READY)  ## Gather what verify, faults, hostile and mutation found into results/trust.json
	@$(PY) -m sentencing.trust --to results/trust.json

# Of committed files only, so of what has a name in git.
.PHONY: archive
archive: $(READY)  ## Pack the committed files to be deposited: build/….zip, the same bytes every time
	@$(PY) -m sentencing.package archive

# --- Tests and the rest ---------------------------------------------------------------------------------------------

.PHONY: test
test: $(READY)  ## Test everything (under five minutes)
	@$(BIN)/pytest --record tests "make test"

.PHONY: test-slow
test-slow: $(READY)  ## Tests that take minutes: a cluster that loses a worker, uniform p values (slow attacks: make hostile)
	@$(BIN)/pytest -m slow -n 2 --dist load --ignore=tests/test_hostile_inputs.py

# A sample of them, drawn with a seed; MUTANTS=all tries every one, which takes many hours.
MUTANTS ?= 600

.PHONY: mutation
mutation: $(READY)  ## Do tests notice when the code is changed? MUTANTS=100 tries so many changes (600 by default)
	@$(PY) -m sentencing.trust.mutation --mutants=$(call quoted,$(MUTANTS))

.PHONY: hostile
hostile: $(READY)  ## Attack the build with hostile inputs: text, files, parameters, servers
	@$(BIN)/pytest tests/test_hostile_inputs.py -m '' --record hostile 'make hostile'

# KILLS=3 kills each notebook three times in each way, SEED=7 at other moments.
KILLS ?= 1
SEED  ?= 1

.PHONY: faults
faults: $(READY)  ## Disturb real builds: killed, disk full, clock wrong, tools missing (a quarter of an hour; KILLS=3 SEED=7)
	@echo KILLS=$(call quoted,$(KILLS)) SEED=$(call quoted,$(SEED))
	@KILLS=$(call quoted,$(KILLS)) SEED=$(call quoted,$(SEED)) $(BIN)/pytest tests/faults -m faults -n 2 --dist load --record faults "make faults"

.PHONY: bench
bench: $(READY)  ## Time the estimator, kernels, country pages, designs, the reader of narratives and pages (20 minutes)
	@$(PY) benchmarks/estimator.py
	@$(PY) benchmarks/kernels.py
	@$(PY) benchmarks/countries.py
	@$(PY) benchmarks/multiverse.py
	@$(PY) benchmarks/narrative.py $(if $(NARRATIVES),$(call quoted,$(NARRATIVES)))
	@$(PY) benchmarks/pages.py $(SITE)

# Narratives are not kept here; `make extract` and `make bench` are told where they are by NARRATIVES=path. With those of
# the 2018 edition, SCORES=results/narrative-scores.csv records how far the program agrees with the coded tables.
.PHONY: extract
extract: $(READY)  ## Read figures from narratives (NARRATIVES=path) and compare them with the coded ones
	@test -n $(call quoted,$(NARRATIVES)) || { echo "Say where the narratives are: make extract NARRATIVES=path"; exit 2; }
	@$(PY) -m sentencing.narrative --compare data/raw/tip/coded_2018_ $(if $(SCORES),--scores=$(call quoted,$(SCORES))) \
	    -- $(call quoted,$(NARRATIVES)) build/extract

# Terms in one country, then the comparison of countries. What is there already of a run that was stopped stays;
# QUICK=yes fits two options of each choice only, into build/.
QUICK ?=
fit_designs = $(PY) -m sentencing.multiverse --declared params/$(1).yml --to build/$(1)$(if $(QUICK),-quick --quick, \
    --result results/$(1).csv) $(distributed)

.PHONY: multiverse
multiverse: $(READY)  ## Fit every design of params/multiverse*.yml anew (ten minutes; WORKERS=2 or SCHEDULER=address)
	@$(call fit_designs,multiverse)
	@$(call fit_designs,multiverse-countries)

.PHONY: publication-designs
publication-designs: $(READY)  ## Simulate every form of publication of params/publication.yml anew (some minutes; WORKERS=2)
	@$(PY) -m sentencing.publication --declared params/publication.yml --to build/publication \
	    --result results/publication-designs.csv $(distributed)

.PHONY: simulate
simulate: $(READY)  ## Draw and fit the samples of results/simulation.csv anew (some minutes)
	@$(PY) benchmarks/simulation.py --samples 1000 --to results/simulation.csv --jobs 2

.PHONY: lint
lint: $(READY)  ## Check the style of the code
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

.PHONY: clean
clean:  ## Remove what was built; keep .venv and the committed tables
	rm -rf build

.PHONY: distclean
distclean: clean  ## Remove .venv too
	rm -rf .venv
