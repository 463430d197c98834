"""Versión publicada del curso: de dónde se clona y con qué etiqueta.

Lo leen la celda de preparación (que se genera desde aquí) y el sitio. No consulta la red.
"""

REPO_URL = "https://github.com/llm-en-tres-semanas/llm-en-tres-semanas"
TAG = "v0.1.0"
