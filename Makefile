# Órdenes del curso. `make` sin nada muestra la ayuda.
# Bastan git, make y Python 3.11 o posterior (lo que admite requirements.txt): el resto se instala solo, dentro de .venv.

PYTHON ?= python3
# Índice de paquetes del que tomar torch (vacío: el de costumbre). El README explica cuándo hace falta.
TORCH_INDEX ?=
PORT ?= 8000
LAB ?=
# Con «=», una variable de entorno que se llame igual no cuenta.
VERSION =
REPO =
URL =

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.sello
# LM Evaluation Harness va aparte: solo lo usan una prueba y el lab 15.
LM_EVAL := $(VENV)/.lm-eval
BUSY := $(VENV)/.instalando
LOG := $(VENV)/instalacion.log
TIMES := _build/pasos.tsv

# El índice viaja solo como variable de entorno de pip y nunca borra la configuración de quien instala.
PIP := $(if $(strip $(TORCH_INDEX)),PIP_EXTRA_INDEX_URL="$(strip $(PIP_EXTRA_INDEX_URL) $(TORCH_INDEX))") PIP_DISABLE_PIP_VERSION_CHECK=1 $(PY) -m pip

# Dos procesos de prueba en dos núcleos: un hilo de torch en cada uno.
PYTEST := OMP_NUM_THREADS=1 $(PY) -m pytest
UNIT := $(PYTEST) utils tests --ignore=tests/site --ignore=tests/mechanisms -n 2 \
	-m "not replicas and not site and not browser"
FAST := $(PYTEST) utils tests -n 2 -m "not slow and not replicas and not site and not browser"
# Las barras de progreso van a stderr y nbval las compararía con las salidas guardadas. Los plazos evitan un cuelgue; no
# miden la velocidad: en una máquina lenta u ocupada un lab tarda lo que tarda.
LABS := CURSO_ESCALA=mini TQDM_DISABLE=1 $(PYTEST) labs --nbval-lax --nbval-current-env --nbval-cell-timeout 1800 \
	--nbval-kernel-startup-timeout 600 -n 2 --dist loadscope
# Cada proceso construye sus réplicas; el que acaba antes le quita labs al otro.
REPLICAS := $(PYTEST) tests -m replicas -n 2 --dist worksteal
# Dos órdenes, porque Playwright no admite dos navegadores en un mismo proceso. Se reparten por archivos: un proceso recorre
# el sitio en claro y otro, en oscuro; y cada libro de prueba de los mecanismos se construye una sola vez.
SITE := $(PYTEST) tests/site -n 2 --dist loadfile && $(PYTEST) tests/mechanisms -n 2 --dist loadfile
BOOK := $(PY) scripts/build_book.py

# $(call step,nombre,orden): ejecuta un paso, apunta sus segundos y se detiene si falla.
define step
@printf '\n== %s ==\n' '$(1)'; \
start=$$(date +%s); state=0; ( $(2) ) || state=$$?; \
printf '%s\t%s\t%s\n' '$(1)' "$$(( $$(date +%s) - start ))" "$$state" >> $(TIMES); \
if [ $$state -ne 0 ]; then $(call summary); exit $$state; fi
endef

# Una línea por paso con sus segundos; la última columna del archivo es el código de salida.
define summary
awk -F '\t' 'BEGIN { print "\nSegundos por paso" } \
{ printf "  %-24s %5d s%s\n", $$1, $$2, ($$3 == 0 ? "" : "   <- ha fallado"); total += $$2 } \
END { printf "  %-24s %5d s\n", "total", total }' $(TIMES)
endef

.PHONY: help book test test-fast lab labs repetir semillas models data serve lint clean version destino requisitos entorno

help: ## Muestra esta ayuda
	@echo 'LLM en tres semanas. Órdenes:'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

book: $(STAMP) ## Construye el sitio completo en _build/html
	@$(BOOK)

test: $(LM_EVAL) ## Pasa todas las pruebas: estilo, unidad, labs, rama gpu, libro y sitio
	@mkdir -p _build && rm -f $(TIMES)
	$(call step,estilo,$(MAKE) -s lint)
	$(call step,unidad y doctests,$(UNIT))
ifneq ($(wildcard labs/*.ipynb),)
	$(call step,labs,$(LABS))
	$(call step,rama gpu con réplicas,$(REPLICAS))
else
	@printf '\nNo hay labs todavía: se saltan sus pruebas.\n'
endif
	$(call step,libro,$(BOOK))
	$(call step,sitio construido,$(SITE))
	@$(call summary)

test-fast: $(STAMP) ## Pasa las pruebas rápidas (menos de 3 minutos)
	@mkdir -p _build && rm -f $(TIMES)
	$(call step,estilo,$(MAKE) -s lint)
	$(call step,unidad rápida,$(FAST))
	@$(call summary)

lab: $(STAMP) ## Abre JupyterLab en la carpeta de los labs
	@$(MAKE) -s $(LM_EVAL) || echo 'Los labs funcionan igual, salvo una celda del lab 15.' >&2
	@$(PY) -m jupyterlab --notebook-dir=. labs

labs: $(LM_EVAL) ## Ejecuta los labs y guarda sus salidas (uno solo: make labs LAB=lab-04)
	@$(PY) scripts/run_labs.py $(LAB)

repetir: $(STAMP) ## Repite cada celda de los labs y apunta si algo cambia; cerca de una hora (uno solo: LAB=lab-04)
	@CURSO_HILOS=1 TQDM_DISABLE=1 $(PY) scripts/repeat_labs.py $(LAB)

semillas: $(STAMP) ## Comprueba los labs con diez semillas; unas tres horas (uno solo: LAB=lab-04)
	@CURSO_HILOS=1 TQDM_DISABLE=1 $(PY) scripts/run_seeds.py $(if $(LAB),--solo lab=$(LAB))

models: $(STAMP) ## Entrena los modelos pequeños de models/
	@$(PY) scripts/train_minis.py

data: $(STAMP) ## Genera los conjuntos de datos de data/
	@$(PY) scripts/build_data.py
	@$(PY) scripts/build_prompts.py
	@$(PY) scripts/build_questions.py
	@$(PY) scripts/build_data_cards.py

serve: $(STAMP) ## Sirve el sitio construido en esta máquina
	@[ -f _build/html/index.html ] || { echo 'El sitio no está construido. Ejecuta antes «make book».' >&2; exit 1; }
	@echo 'El sitio está en http://127.0.0.1:$(PORT) (Ctrl+C para terminar).'
	@$(PY) -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html || { \
		echo 'No se pudo servir. Si el puerto $(PORT) está ocupado, prueba «make serve PORT=8001».' >&2; exit 1; }

lint: $(STAMP) ## Revisa el estilo del código, los cuadernos y la prosa
	@state=0; \
	$(PY) -m ruff check --quiet --output-format concise . || state=1; \
	for name in imports prose notebooks; do $(PY) scripts/lint_$$name.py || state=1; done; \
	exit $$state

clean: ## Borra lo construido y las cachés (conserva .venv)
	@rm -rf _build .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +

version: $(STAMP) ## Cambia la versión en todo el curso (make version VERSION=X.Y.Z)
	@$(PY) scripts/set_release.py version "$(VERSION)"

destino: $(STAMP) ## Cambia la cuenta que lo publica (make destino REPO=ana/curso URL=https://ana.github.io/curso/)
	@$(PY) scripts/set_release.py destino "$(REPO)" "$(URL)"

requisitos: $(STAMP) ## Resuelve requirements.in de nuevo y escribe requirements.txt
	@echo 'Resolviendo requirements.in en un entorno nuevo; tarda unos minutos.'
	@rm -rf _build/requisitos && $(PY) -m venv _build/requisitos
	@$(subst $(PY),_build/requisitos/bin/python,$(PIP)) install -q -r requirements.in
	@{ head -n 2 requirements.txt; _build/requisitos/bin/python -m pip freeze --all --exclude pip \
		| sed -E 's/^(torch==[0-9.]+)\+.*/\1/' | grep -v -E '^(nvidia-|cuda-|triton==)'; } > requirements.txt.tmp
	@mv requirements.txt.tmp requirements.txt
	@sed -i.tmp "s/^# Python .*/# Python $$(_build/requisitos/bin/python scripts/check_pins.py --rango)/" requirements.txt
	@rm -rf requirements.txt.tmp _build/requisitos
	@echo 'requirements.txt está al día. Compruebo que se instala en todo lo que el README promete.'
	@$(PY) scripts/check_pins.py
	@echo 'Repasa «git diff requirements.txt» y ejecuta «make test».'

entorno: $(STAMP) ## Prepara .venv sin hacer nada más
	@:

# Añade la raíz del curso al camino de .venv, con una ruta relativa: la carpeta se puede mover.
define ADD_ROOT
import os, site
folder = site.getsitepackages()[0]
with open(os.path.join(folder, "curso.pth"), "w") as file:
    file.write(os.path.relpath(os.getcwd(), folder) + "\n")
endef
export ADD_ROOT

# Mientras se instala, $(BUSY) guarda el número de proceso: si alguien mata la instalación, la siguiente empieza
# de cero; si pip termina con un error (sin red, disco lleno), lo ya instalado se conserva.
$(STAMP): requirements.txt requirements-assets.txt
	@if [ -f $(BUSY) ] && kill -0 "$$(cat $(BUSY))" 2>/dev/null; then \
		echo 'Otra orden está instalando el entorno: espera a que termine y repite.' >&2; exit 1; fi
	@if [ -f $(BUSY) ]; then echo 'La instalación anterior quedó a medias: se repite.'; rm -rf $(VENV); fi
	@if [ ! -x $(PY) ]; then \
		command -v "$(PYTHON)" >/dev/null || { echo 'No encuentro «$(PYTHON)»: instala Python 3.11 o posterior.' >&2; exit 1; }; \
		"$(PYTHON)" scripts/check_python.py && "$(PYTHON)" -m venv --clear $(VENV); fi
	@echo 'Instalando las dependencias en .venv; la primera vez tarda unos minutos.'
	@echo "$$PPID" > $(BUSY); \
	if { $(PIP) install -q -r requirements.txt \
		&& $(PIP) install -q --no-deps --require-hashes -r requirements-assets.txt \
		&& $(PY) -c "$$ADD_ROOT"; } > $(LOG) 2>&1; \
	then touch $(STAMP); rm -f $(BUSY); echo 'Entorno listo.'; \
	else rm -f $(BUSY); grep -E '^ *ERROR' $(LOG) | tail -n 3 >&2; $(PY) scripts/explain_pip.py < $(LOG) >&2; \
		echo 'No se pudo instalar el entorno; todo lo que dijo pip está en $(LOG). Al repetir la orden, continúa donde quedó.' >&2; \
		exit 1; fi

# Con --no-deps, porque lo que necesita ya está instalado: no puede cambiar ninguna versión.
$(LM_EVAL): requirements-lm-eval.txt $(STAMP)
	@echo 'Instalando LM Evaluation Harness (9 MB).'
	@$(PIP) install -q --no-deps --require-hashes -r requirements-lm-eval.txt > $(LOG) 2>&1 || { \
		$(PY) scripts/explain_pip.py < $(LOG) >&2; \
		echo 'No se pudo instalar LM Evaluation Harness. Repite la orden.' >&2; exit 1; }
	@touch $(LM_EVAL)
